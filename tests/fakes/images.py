"""Images: finding, adding and importing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tests.fakes import configs, files, references
from tests.fakes.core import Engine
from tests.fakes.errors import not_found
from tests.fakes.state import Image, Json, Tree


def find(engine: Engine, term: str) -> Image:
    """The image with this tag, digest or id."""
    images = engine.state.images
    wanted = references.normal(term)
    for image in images.values():
        if image.id == term or wanted in image.tags or wanted in image.digests:
            return image
    raise not_found(f"No such image: {wanted}")


def add(engine: Engine, reference: str, config: Json, tree: Tree) -> Image:
    """Store a new image; a tag that another image holds moves to it."""
    image = Image(
        id="sha256:" + engine.new_id(f"image {reference}"),
        created=engine.clock(),
        config=configs.complete(config),
        files=tree,
        size=sum(len(node.content) for node in tree.values()),
        layers=[_layer(tree)],
    )
    engine.state.images[image.id] = image
    set_tag(engine, image, reference)
    return image


def _layer(tree: Tree) -> str:
    """The layer's digest: equal content is one layer, however many images have it."""
    digest = hashlib.sha256()
    for path, node in sorted(tree.items()):
        digest.update(f"{path}\0{node.kind}\0{node.mode}\0{node.target}\0{len(node.content)}\0".encode())
        digest.update(node.content)
    return "sha256:" + digest.hexdigest()


def add_from_files(engine: Engine, reference: str, config: Json, contents: Mapping[str, bytes]) -> Image:
    """Store an image made of the given paths; paths that end in "/" are folders."""
    tree = files.empty_tree()
    for path, content in sorted(contents.items()):
        if path.endswith("/"):
            files.make_folders(tree, path)
        else:
            files.write_file(tree, path, content, mode=0o755)
    return add(engine, reference, config, tree)


def set_tag(engine: Engine, image: Image, reference: str) -> None:
    """Give `image` this name, taking it from whichever image had it."""
    name = references.normal(reference)
    attribute = "digests" if "@" in name else "tags"
    for other in engine.state.images.values():
        names: list[str] = getattr(other, attribute)
        if name in names:
            names.remove(name)
    getattr(image, attribute).append(name)


def import_tar(engine: Engine, data: bytes, repository: str, tag_name: str) -> Image:
    """An image from a tar of a file system; its configuration holds nothing."""
    tree = files.empty_tree()
    files.unpack(tree, "/", data)
    image = add(engine, f"{repository}:{tag_name or 'latest'}", {}, tree)
    image.comment = "Imported from -"
    return image
