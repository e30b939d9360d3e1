"""Plans as a terminal shows them, word for word, on narrow, usual and wide screens."""

# ruff: noqa: E501  # a screen of 200 columns has lines of 200 columns

from __future__ import annotations

import pytest

from dtnctl.model.head import Head
from dtnctl.model.plan import Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from tests.render.plans import BY_HAND

HASH = "0123456789abcdef"


def shown(plan: Plan, width: int) -> str:
    context = RenderContext(head=Head("4f2c1e9" + "0" * 33, "main"), version="0.1.0", width=width)
    return render_plan(plan, context).replace(plan.hash, HASH)


EXPECTED: dict[tuple[str, int], str] = {}

EXPECTED["empty", 80] = """\
VERDICT  No changes. 3 objects match. · 1 transfer did not succeed
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 2 endpoints answered · dtnctl 0.1.0

transfers (2)  nothing to do for them
    ! failed     transfer/run12 generation 2:
                 no space left on device; raise `generation` to run it again
                                                    state/transfers/run12.yaml:4
    = succeeded  transfer/run13 generation 1: 4294967296 bytes in 5.0 s, sha256
                 equal, receipt of 2026-07-01T10:00:00Z
                                                    state/transfers/run13.yaml:1

unchanged (3)  --all lists them
"""

EXPECTED["empty", 120] = """\
VERDICT  No changes. 3 objects match. · 1 transfer did not succeed
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 2 endpoints answered · dtnctl 0.1.0

transfers (2)  nothing to do for them
    ! failed     transfer/run12 generation 2: no space left on device; raise `generation` to run it again
                                                                                            state/transfers/run12.yaml:4
    = succeeded  transfer/run13 generation 1: 4294967296 bytes in 5.0 s, sha256 equal, receipt of 2026-07-01T10:00:00Z
                                                                                            state/transfers/run13.yaml:1

unchanged (3)  --all lists them
"""

EXPECTED["empty", 200] = EXPECTED["empty", 120]  # no line of it is longer

EXPECTED["create", 80] = """\
VERDICT  2 changes in 1 session · 2 with access to the host · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1 → 2     1  0  0  0  0  0  1 → 2  free  live
  dtn-b     0 → 1     1  0  0  0  0  0  0 → 1  free  live

+ create   session/run14 @ dtn-a ↔ dtn-b             state/sessions/run14.yaml:1
    ! mount         /nvme/data → /data
    + command       sshd -D
      what          creates container scinet.run14
      why           declared, not there
                    dtn-a              dtn-b
    + image         dtnaas/gct:latest  dtnaas/gct:latest
    + ctrl port     30000              30001
    + data ports    50100-50199        50100-50199
    + star222 ipv4  192.168.2.64       192.168.2.65
    ! note          dtn-b: image dtnaas/gct:latest is pulled first

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["create", 120] = """\
VERDICT  2 changes in 1 session · 2 with access to the host · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1 → 2     1  0  0  0  0  0  1 → 2  free  live
  dtn-b     0 → 1     1  0  0  0  0  0  0 → 1  free  live

+ create   session/run14 @ dtn-a ↔ dtn-b                                                     state/sessions/run14.yaml:1
    ! mount         /nvme/data → /data
    + command       sshd -D
      what          creates container scinet.run14
      why           declared, not there
                    dtn-a              dtn-b
    + image         dtnaas/gct:latest  dtnaas/gct:latest
    + ctrl port     30000              30001
    + data ports    50100-50199        50100-50199
    + star222 ipv4  192.168.2.64       192.168.2.65
    ! note          dtn-b: image dtnaas/gct:latest is pulled first

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["create", 200] = EXPECTED["create", 120]  # no line of it is longer

EXPECTED["replace", 80] = """\
VERDICT  1 change in 1 session · 1 replace with interruption · 0 blocked
RISK     interrupts session/climate @ dtn-a · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         0  0  1  0  0  0  1      free  live
  dtn-b     1         0  0  0  0  0  0  1      free  live

± replace  session/climate @ dtn-a                state/sessions/climate.yaml:14
      what        replaces container scinet.climate
      why         image differs
    ± image       dtnaas/xrootd@sha256:11aa → dtnaas/xrootd@sha256:9f3c
                  (forces replace)
    ~ memory      8 GiB → 64 GiB (state/profiles/big.yaml:3: memory differs)
    ! interrupts  climate on dtn-a is down while it restarts
    = kept        ctrl port 30000 · data ports 50000-50099 ·
                  star222 ipv4 192.168.2.70
    ! note        image dtnaas/xrootd@sha256:9f3c is pulled first

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["replace", 120] = """\
VERDICT  1 change in 1 session · 1 replace with interruption · 0 blocked
RISK     interrupts session/climate @ dtn-a · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         0  0  1  0  0  0  1      free  live
  dtn-b     1         0  0  0  0  0  0  1      free  live

± replace  session/climate @ dtn-a                                                        state/sessions/climate.yaml:14
      what        replaces container scinet.climate
      why         image differs
    ± image       dtnaas/xrootd@sha256:11aa → dtnaas/xrootd@sha256:9f3c (forces replace)
    ~ memory      8 GiB → 64 GiB (state/profiles/big.yaml:3: memory differs)
    ! interrupts  climate on dtn-a is down while it restarts
    = kept        ctrl port 30000 · data ports 50000-50099 · star222 ipv4 192.168.2.70
    ! note        image dtnaas/xrootd@sha256:9f3c is pulled first

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["replace", 200] = EXPECTED["replace", 120]  # no line of it is longer

EXPECTED["danger", 80] = """\
VERDICT  1 change in 1 session · 1 destroy · 1 blocked
RISK     interrupts session/old-mirror @ dtn-c · removes 1 of 14 services ·
         dtn-d is silent (ssh: connect to host dtn-d port 22: No route to host),
         nothing is planned there ·
         dtn-c is locked by alice@ci-7, apply of 4f2c1e9
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 3 endpoints answered · dtnctl 0.1.0
NOTE     network old222 on dtn-c is used no more but stays: postgres, not ours,
         is on it

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  LOCK                          STATE
  dtn-a     6         0  0  0  0  0  1  free                          live
  dtn-c     3 → 2     0  0  0  1  0  0  alice@ci-7, apply of 4f2c1e9  live
  dtn-d     ?         ·  ·  ·  ·  ·  ·  ?                             SILENT
  PORTS left out to save room; -o wide shows every column

✖ blocked  session/run15 @ dtn-a                    state/endpoints/dtn-a.yaml:9
    ✖ E0412  it mounts /etc, the owner allows /nvme
      fix    ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml

- destroy  session/old-mirror @ dtn-c
      what        removes container scinet.old-mirror, running
      why         no file state/sessions/old-mirror.yaml any more
    ! interrupts  old-mirror on dtn-c ends

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["danger", 120] = """\
VERDICT  1 change in 1 session · 1 destroy · 1 blocked
RISK     interrupts session/old-mirror @ dtn-c · removes 1 of 14 services ·
         dtn-d is silent (ssh: connect to host dtn-d port 22: No route to host), nothing is planned there ·
         dtn-c is locked by alice@ci-7, apply of 4f2c1e9
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 3 endpoints answered · dtnctl 0.1.0
NOTE     network old222 on dtn-c is used no more but stays: postgres, not ours, is on it

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK                          STATE
  dtn-a     6         0  0  0  0  0  1  12     free                          live
  dtn-c     3 → 2     0  0  0  1  0  0  6 → 4  alice@ci-7, apply of 4f2c1e9  live
  dtn-d     ?         ·  ·  ·  ·  ·  ·  ?      ?                             SILENT

✖ blocked  session/run15 @ dtn-a                                                            state/endpoints/dtn-a.yaml:9
    ✖ E0412  it mounts /etc, the owner allows /nvme
      fix    ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml

- destroy  session/old-mirror @ dtn-c
      what        removes container scinet.old-mirror, running
      why         no file state/sessions/old-mirror.yaml any more
    ! interrupts  old-mirror on dtn-c ends

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["danger", 200] = """\
VERDICT  1 change in 1 session · 1 destroy · 1 blocked
RISK     interrupts session/old-mirror @ dtn-c · removes 1 of 14 services · dtn-d is silent (ssh: connect to host dtn-d port 22: No route to host), nothing is planned there ·
         dtn-c is locked by alice@ci-7, apply of 4f2c1e9
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 3 endpoints answered · dtnctl 0.1.0
NOTE     network old222 on dtn-c is used no more but stays: postgres, not ours, is on it

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK                          STATE
  dtn-a     6         0  0  0  0  0  1  12     free                          live
  dtn-c     3 → 2     0  0  0  1  0  0  6 → 4  alice@ci-7, apply of 4f2c1e9  live
  dtn-d     ?         ·  ·  ·  ·  ·  ·  ?      ?                             SILENT

✖ blocked  session/run15 @ dtn-a                                                            state/endpoints/dtn-a.yaml:9
    ✖ E0412  it mounts /etc, the owner allows /nvme
      fix    ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml

- destroy  session/old-mirror @ dtn-c
      what        removes container scinet.old-mirror, running
      why         no file state/sessions/old-mirror.yaml any more
    ! interrupts  old-mirror on dtn-c ends

unchanged (1)  --all lists them

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["transfer", 80] = """\
VERDICT  2 changes · 1 transfer will start · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         0  0  0  0  2  0  1      free  live
  dtn-b     1         0  0  0  0  0  0  1      free  live

▶ start    transfer/copy @ dtn-a                     state/transfers/copy.yaml:5
      what     generation 1 starts once: dtn-a:/data/1T → dtn-b:/data/1T_2 by
               gridftp
      why      no record of it
    + session  run14
    + streams  4
    + verify   checksum

▶ finish   transfer/old @ dtn-a                       state/transfers/old.yaml:1
      what  generation 1 judges and records its result; starts nothing:
            dtn-a:/data/2T → dtn-b:/data/2T by gridftp
      why   it ended with exit code 0 and has no receipt

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["transfer", 120] = """\
VERDICT  2 changes · 1 transfer will start · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         0  0  0  0  2  0  1      free  live
  dtn-b     1         0  0  0  0  0  0  1      free  live

▶ start    transfer/copy @ dtn-a                                                             state/transfers/copy.yaml:5
      what     generation 1 starts once: dtn-a:/data/1T → dtn-b:/data/1T_2 by gridftp
      why      no record of it
    + session  run14
    + streams  4
    + verify   checksum

▶ finish   transfer/old @ dtn-a                                                               state/transfers/old.yaml:1
      what  generation 1 judges and records its result; starts nothing: dtn-a:/data/2T → dtn-b:/data/2T by gridftp
      why   it ended with exit code 0 and has no receipt

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["transfer", 200] = EXPECTED["transfer", 120]  # no line of it is longer

EXPECTED["drift", 80] = """\
VERDICT  1 change in 1 session · 1 drifted · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         0  0  0  0  0  0  1      free  live
  dtn-b     1         0  1  0  0  0  0  1      free  live

drift (1)  Git did not change, the endpoint did; apply takes it back

~ update   session/beta @ dtn-b                      state/profiles/small.yaml:4
      what  changes container scinet.beta in place
      why   cpus differs
    ~ cpus  (none) → 4

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["drift", 120] = """\
VERDICT  1 change in 1 session · 1 drifted · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         0  0  0  0  0  0  1      free  live
  dtn-b     1         0  1  0  0  0  0  1      free  live

drift (1)  Git did not change, the endpoint did; apply takes it back

~ update   session/beta @ dtn-b                                                              state/profiles/small.yaml:4
      what  changes container scinet.beta in place
      why   cpus differs
    ~ cpus  (none) → 4

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["drift", 200] = EXPECTED["drift", 120]  # no line of it is longer

EXPECTED["hardware", 80] = """\
VERDICT  3 changes in 2 interfaces and 1 VLAN · 1 destroy · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services ·
         restores vfs/ens2f0 @ dtn-b
FROM     site scinet · HEAD 4f2c1e9 on main (clean) ·
         2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  PORTS  LOCK  STATE
  dtn-a     1         2  0  0  0  0  0  1      free  live
  dtn-b     1         0  0  0  1  0  0  1      free  live
  VF, CPUS left out to save room; -o wide shows every column

- destroy  vfs/ens2f0 @ dtn-b
      what  releases virtual function 0000:b1:00.3 of ens2f0 and restores it as
            it was found
      why   it is held for session run13, which is not here any more

+ create   vfs/ens1f0 @ dtn-a                       state/endpoints/dtn-a.yaml:5
      what               makes 8 virtual functions on ens1f0
      why                declared, not there
    ~ virtual functions  0 → 8

+ create   vlan/ens1f1.310 @ dtn-a                  state/networks/lab310.yaml:2
      what  makes VLAN sub-interface ens1f1.310
      why   network lab310 uses it
    + vlan  310
    + mtu   9000

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["hardware", 120] = """\
VERDICT  3 changes in 2 interfaces and 1 VLAN · 1 destroy · 0 blocked
RISK     interrupts nothing · removes 0 of 4 services · restores vfs/ens2f0 @ dtn-b
FROM     site scinet · HEAD 4f2c1e9 on main (clean) · 2 of 2 endpoints answered · dtnctl 0.1.0

  ENDPOINT  SESSIONS  +  ~  ±  -  ▶  ✖  VF       PORTS  CPUS                      LOCK  STATE
  dtn-a     1         2  0  0  0  0  0  0/8      1      n0 0/16  n1 4/16          free  live
  dtn-b     1         0  0  0  1  0  0  2 → 1/4  1      n0 8 → 4/16  n1 0 → 4/16  free  live

- destroy  vfs/ens2f0 @ dtn-b
      what  releases virtual function 0000:b1:00.3 of ens2f0 and restores it as it was found
      why   it is held for session run13, which is not here any more

+ create   vfs/ens1f0 @ dtn-a                                                               state/endpoints/dtn-a.yaml:5
      what               makes 8 virtual functions on ens1f0
      why                declared, not there
    ~ virtual functions  0 → 8

+ create   vlan/ens1f1.310 @ dtn-a                                                          state/networks/lab310.yaml:2
      what  makes VLAN sub-interface ens1f1.310
      why   network lab310 uses it
    + vlan  310
    + mtu   9000

plan hash 0123456789abcdef
apply exactly this:    dtnctl apply --expect 0123456789abcdef
"""

EXPECTED["hardware", 200] = EXPECTED["hardware", 120]  # no line of it is longer


@pytest.mark.parametrize(("name", "width"), EXPECTED)
def test_plan_reads_as_written_here(name: str, width: int) -> None:
    assert shown(BY_HAND[name], width) == EXPECTED[name, width]


def test_every_plan_by_hand_is_read_at_three_widths() -> None:
    assert set(EXPECTED) == {(name, width) for name in BY_HAND for width in (80, 120, 200)}
