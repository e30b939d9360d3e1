"""What was found on hosts that no file declares, as text: findings, then what is between the hosts, then YAML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dtnctl.model.audit import Audit, Carried, HostAudit, Pair, PairFault
from dtnctl.model.findings import speed_text
from dtnctl.render.blocks import BODY, fact_rows
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.doctor import ROLES, SIGNS, VERB, WORDS, render_doctor
from dtnctl.render.facts import Fact
from dtnctl.render.text import Style, flow, look_of, pad, plural, printable

NOT_KNOWN, NOT_TRIED = "not known", "not tried"
PAIR_COLUMNS = (
    Column("NETWORK", least=10, drop=2),
    Column("NEAR", least=8),
    Column("FAR", least=8),
    Column("MTU", right=True),
    Column("RATE", right=True, drop=1),
    Column("PASSES", right=True),
)
PAIR_HEADERS = ("Network", "Near", "Far", "MTU", "Rate", "Passes")  # the same for pages


def render_audit(audit: Audit, files: Sequence[tuple[str, str]], context: RenderContext) -> str:
    """All of it; `files` are the names and texts of the files that would declare it."""
    look = look_of(context)
    shown = printable(audit, ascii_only=context.ascii)
    findings = render_doctor([host.examination for host in shown.hosts], context).rstrip("\n")
    sections = [_host(host, look) for host in shown.hosts]
    if len(shown.hosts) > 1:
        sections.append(_between(shown, look, context))
    sections += [_fault(fault, look) for fault in shown.pair_faults]
    sections.append(_files(files, look, context))
    return findings + "\n\n" + "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _host(host: HostAudit, look: Style) -> list[str]:
    """What carries data on it, and what was not looked at."""
    title = look.paint("bold", f"{host.examination.endpoint}: what carries data")
    carried = [" " * BODY + line for item in host.carried for line in flow(carried_words(item), look.width - BODY)]
    lines = [title, *(carried or [" " * BODY + "no NIC with a link was found; --interface names one"])]
    if host.unseen:
        lines.append(look.paint("bold", f"{host.examination.endpoint}: what was not seen"))
        lines += [line for sentence in host.unseen for line in _item(sentence, look)]
    return lines


def _item(sentence: str, look: Style) -> Iterator[str]:
    first, *more = flow(sentence.split(" "), look.width - BODY - 2)
    yield f"{' ' * BODY}- {first}"
    yield from (f"{' ' * BODY}  {line}" for line in more)


def carried_words(item: Carried) -> list[str]:
    """`ens1f0.222  192.168.2.5/24  VLAN 222  MTU 9000  100 Gb/s`."""
    vlan = f"VLAN {item.vlan}" if item.vlan is not None else ""
    speed = speed_text(item.speed) if item.speed else f"rate {NOT_KNOWN}"
    return [word for word in (item.interface, item.address or "no address", vlan, f"MTU {item.mtu}", speed) if word]


# --- between two hosts --------------------------------------------------------------------------------------


def _between(audit: Audit, look: Style, context: RenderContext) -> list[str]:
    near, far = (host.examination.endpoint for host in audit.hosts)
    title = look.paint("bold", f"from {near} to {far}")
    if not audit.pairs:
        return [title, " " * BODY + f"{NOT_TRIED}: they have no addresses that could reach each other"]
    rows = [pair_cells(pair) for pair in audit.pairs]
    table = table_lines(PAIR_COLUMNS, rows, look, indent=BODY, fits=not context.wide)
    troubles = dict.fromkeys(f"{NOT_TRIED}: {pair.trouble}" for pair in audit.pairs if pair.trouble)
    return [title, *table, *(line for trouble in troubles for line in _item(trouble, look))]


def pair_cells(pair: Pair) -> list[str]:
    """A row of the table: the ends, both MTUs, the slower rate, and the largest packet that came back."""
    mtu = f"{pair.near.mtu}" if pair.near.mtu == pair.far.mtu else f"{pair.near.mtu}/{pair.far.mtu}"
    return [
        pair.way,
        f"{pair.near.interface} {pair.near.address.partition('/')[0]}",
        f"{pair.far.interface} {pair.far.address.partition('/')[0]}",
        mtu,
        speed_text(pair.speed) if pair.speed else NOT_KNOWN,
        f"{pair.passes}" if pair.passes else NOT_TRIED,
    ]


def _fault(fault: PairFault, look: Style) -> list[str]:
    sign = SIGNS.get(fault.severity, look.signs["blocked"])
    start = pad(look.paint(ROLES[fault.severity], f"{sign} {WORDS[fault.severity]}"), VERB)
    facts = [Fact(None, "found", tuple(fault.found.split(" "))), Fact(None, "fix", (fault.fix,))]
    return [start + look.paint("bold", ends_of(fault)), *fact_rows(facts, look)]


def ends_of(fault: PairFault) -> str:
    return f"{fault.pair.near.interface} to {fault.pair.far.interface}"


# --- files --------------------------------------------------------------------------------------------------


def _files(files: Sequence[tuple[str, str]], look: Style, context: RenderContext) -> list[str]:
    """The YAML as it would be written, whatever the width: it is there to be copied."""
    title = look.paint("bold", f"{plural(len(files), 'file')} would declare this") + " (--write writes them)"
    lines = [title]
    for name, text in files:
        shown = [printable(line, ascii_only=context.ascii) for line in text.splitlines()]
        lines += ["", look.paint("dim", f"# {name}"), *shown]
    return lines
