"""Images: finding, adding, importing, committing, tagging, removing and pruning them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping

from tests.fakes import configs, files, references
from tests.fakes.core import Engine
from tests.fakes.errors import bad_request, conflict, not_found, server_error
from tests.fakes.state import Container, Image, Json, Tree


def find(engine: Engine, term: str) -> Image:
    """The image with this tag, digest or beginning of an id."""
    images = engine.state.images
    wanted = references.normal(term)
    for image in images.values():
        if image.id == term or wanted in image.tags or wanted in image.digests:
            return image
    matches = [image for key, image in images.items() if references.is_id_prefix(key, term)]
    if len(matches) != 1:
        raise not_found(f"No such image: {wanted}")
    return matches[0]


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
    if reference:
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
    engine.emit("image", "tag", image.id, {"name": name})


def tag(engine: Engine, term: str, repository: str, tag_name: str) -> None:
    image = find(engine, term)
    reference = f"{repository}:{tag_name or 'latest'}"
    references.require_valid(reference, server_error)
    set_tag(engine, image, reference)


def import_tar(engine: Engine, data: bytes, repository: str, tag_name: str, changes: list[str]) -> Image:
    """An image from a tar of a file system; its configuration holds nothing but the changes."""
    tree = files.empty_tree()
    try:
        files.unpack(tree, "/", data)
    except (tarfile.TarError, EOFError) as error:
        raise server_error("Error processing tar file(exit status 1): archive/tar: invalid tar header") from error
    config = configs.complete({})
    configs.apply_changes(config, changes)
    reference = f"{repository}:{tag_name or 'latest'}" if repository else ""
    if reference:
        references.require_valid(reference, bad_request)
    image = add(engine, reference, config, tree)
    image.comment = "Imported from -"
    return image


def commit(engine: Engine, term: str, query: Mapping[str, str], given: Json, changes: list[str]) -> Image:
    """An image from a container: it inherits the container's whole Config, labels and environment included."""
    container = engine.container(term)
    if container.image_id not in engine.state.images:
        digest = container.image_id.removeprefix("sha256:")
        path = f"/var/lib/docker/image/overlay2/imagedb/content/sha256/{digest}"
        raise server_error(f"failed to get digest {container.image_id}: open {path}: no such file or directory")
    base = configs.complete(given)
    configs.merge_image(base, container.config)
    for name in ("Hostname", "Image", "Tty", "OpenStdin"):
        base[name] = base[name] or container.config[name]
    configs.apply_changes(base, changes)
    repository, tag_name = query.get("repo", ""), query.get("tag", "")
    image = add(
        engine,
        f"{repository}:{tag_name or 'latest'}" if repository else "",
        base,
        dict(container.files),
    )
    image.comment, image.author = query.get("comment", ""), query.get("author", "")
    image.parent, image.container = container.image_id, container.id
    image.container_config = json.loads(json.dumps(container.config))
    image.layers = _stacked(container, engine.state.images[container.image_id], image)
    return image


def _stacked(container: Container, parent: Image, image: Image) -> list[str]:
    """The layers of a committed image: the parent's, and one more if the container has changed anything."""
    return parent.layers if container.files == parent.files else parent.layers + image.layers


def users(engine: Engine, image: Image) -> list[Container]:
    """The containers made from this image, oldest first."""
    found = [c for c in engine.state.containers.values() if c.image_id == image.id]
    return sorted(found, key=lambda container: container.created)


def remove(engine: Engine, term: str, force: bool) -> list[Json]:
    """Take a name away, or the whole image when its last name or its id was given."""
    image = find(engine, term)
    if references.is_id_prefix(image.id, term):
        return _remove_by_id(engine, image, force)
    name = references.normal(term)
    names = image.tags + image.digests
    used_by = users(engine, image)
    if len(image.tags or names) == 1 and used_by and not force:
        raise conflict(
            f'conflict: unable to remove repository reference "{term}" (must force) - container '
            f"{used_by[0].id[:12]} is using its referenced image {short_id(image)}"
        )
    untagged: list[Json] = [{"Untagged": gone} for gone in _untag(image, name)]
    running = any(container.running for container in used_by)
    if image.tags or image.digests or running or (used_by and not force) or _has_children(engine, image):
        return untagged
    return untagged + _delete(engine, image)


def _untag(image: Image, name: str) -> list[str]:
    """Take a name away; the last tag of a repository takes the digest that came with it along."""
    gone = [name]
    repository = references.split(name)[0]
    for held in (image.tags, image.digests):
        if name in held:
            held.remove(name)
    if not any(references.split(tag)[0] == repository for tag in image.tags):
        gone += [digest for digest in image.digests if references.split(digest)[0] == repository]
        image.digests[:] = [digest for digest in image.digests if digest not in gone]
    return gone


def _remove_by_id(engine: Engine, image: Image, force: bool) -> list[Json]:
    names = image.tags + image.digests
    repositories = {references.split(name)[0] for name in names}
    if len(repositories) > 1 and not force:
        raise conflict(f"conflict: unable to delete {short_id(image)} (must be forced) - image is referenced in multiple repositories")
    if _has_children(engine, image):
        raise conflict(f"conflict: unable to delete {short_id(image)} (cannot be forced) - image has dependent child images")
    for container in users(engine, image):
        if container.running:
            raise conflict(
                f"conflict: unable to delete {short_id(image)} (cannot be forced) - image is being used by running "
                f"container {container.id[:12]}"
            )
        if not force:
            raise conflict(
                f"conflict: unable to delete {short_id(image)} (must be forced) - image is being used by stopped "
                f"container {container.id[:12]}"
            )
    return [{"Untagged": name} for name in names] + _delete(engine, image)


def _has_children(engine: Engine, image: Image) -> bool:
    return any(other.parent == image.id for other in engine.state.images.values())


def _delete(engine: Engine, image: Image) -> list[Json]:
    del engine.state.images[image.id]
    engine.emit("image", "delete", image.id, {"name": image.id})
    kept = {layer for other in engine.state.images.values() for layer in other.layers}
    deleted: list[Json] = [{"Deleted": layer} for layer in reversed(image.layers) if layer not in kept]
    parent = engine.state.images.get(image.parent)
    if parent and not (parent.tags or parent.digests or users(engine, parent) or _has_children(engine, parent)):
        deleted += _delete(engine, parent)
    return [{"Deleted": image.id}, *deleted]


def prune(engine: Engine, everything: bool) -> Json:
    """Remove images without a name (or, with `everything`, without a container)."""
    deleted: list[Json] = []
    reclaimed = 0
    for image in list(engine.state.images.values()):
        if users(engine, image) or (image.tags and not everything):
            continue
        reclaimed += image.size
        deleted += [{"Untagged": name} for name in image.tags + image.digests] + _delete(engine, image)
    return {"ImagesDeleted": deleted or None, "SpaceReclaimed": reclaimed}


def short_id(image: Image) -> str:
    return image.id.removeprefix("sha256:")[:12]


def tar_of(contents: Mapping[str, bytes]) -> bytes:
    """A tar with these files: what tests hand to `import`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(contents.items()):
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
