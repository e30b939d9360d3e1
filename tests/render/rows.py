"""Rows of the lists, as the talk shows them, and some that went wrong."""

from __future__ import annotations

from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, TransferRow

CONTAINER = "646f8bfcf576021776b816a638a28b98a6174f7e872be92587ad1abffdb51c25"

SESSIONS = (
    SessionRow("ofed-test", "STARTED", ("nersc-tbn-7", "starlight-dtn"), "dtnaas/ofed:latest", "lbnl-rdma", "dtnaas"),
    SessionRow(
        "climate",
        "MIXED",
        ("starlight-dtn", "surf-dtn-ppc"),
        "dtnaas/gct:latest",
        "surf",
        "dtnaas",
        ("surf-dtn-ppc: the container ended with exit code 1",),
    ),
)
SERVICES = (
    ServiceRow(
        session="ofed-test",
        endpoint="starlight-dtn",
        state="running",
        data_net_name="star222",
        data_ipv4="192.168.2.64",
        ctrl_host="165.124.33.182",
        ctrl_port=30001,
        data_ports="50100-50199",
        rdma_device="mlx5_11",
        rdma_port=1,
        rdma_gid_index=5,
        container_user="dtnaas",
        container_id=CONTAINER,
        container_name="scinet.ofed-test",
        image="dtnaas/ofed:latest",
        image_id="sha256:1f2e",
        profile="lbnl-rdma",
        health="healthy",
    ),
    ServiceRow("climate", "surf-dtn-ppc", "exited", container_name="scinet.climate", errors=("exit code 1",)),
)
TRANSFERS = (
    TransferRow(
        name="sc20-1T",
        source="nersc-tbn-7:/data/1T",
        destination="starlight-dtn:/data/1T_2",
        tool="gridftp",
        generation=1,
        state="succeeded",
        bytes=4294967296,
        seconds=5.413,
        bytes_per_second=793_454_182.0,
        checksum="sha256:9f3c",
        verified="sha256 equal",
        attempt=1,
        session="ofed-test",
        claimed_at="2026-05-31T23:59:58Z",
        started_at="2026-06-01T00:00:00Z",
        finished_at="2026-06-01T00:00:05Z",
        since="2026-06-01T00:00:05Z",
        compared="sha256",
    ),
    TransferRow("sc20-2T", "nersc-tbn-7:/data/2T", "starlight-dtn:/data/2T", "gridftp", 2, "failed", cause="no space left on device"),
)
ENDPOINTS = (
    EndpointRow("nersc-tbn-7", "ssh://dtnaas@nersc-tbn-7.example.net", "answered", "20.10.24", 1, 2, "alice@ci-7", "198.51.100.7"),
    EndpointRow("surf-dtn-ppc", "unix:///run/surf.sock", "silent", host="198.51.100.9", reason="connection refused"),
)
