"""An S3 server (SeaweedFS) on loopback; ``bin/cycle-servers`` gets it and PostgreSQL."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.loopback import POSTGRES, free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
WEED = ROOT / ".venv-cycle/bin/weed"
KEY, SECRET, PROBE = "cycle-key", "cycle-secret", "probe"


def missing_parts() -> list[str]:
    """Parts that this machine lacks."""
    absent = [str(part) for part in (WEED, POSTGRES / "initdb") if not part.exists()]
    return absent + [name for name in ("boto3", "dvc_s3") if importlib.util.find_spec(name) is None]


@dataclass
class S3:
    """A server that can die and come back with what it was given."""

    home: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3.port']}"

    @property
    def environment(self) -> dict[str, str]:
        """What its clients read."""
        return {
            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.address, "MLFLOW_S3_ENDPOINT_URL": self.address, "AWS_MAX_ATTEMPTS": "2",
        }  # fmt: skip

    def start(self) -> None:
        self.home.mkdir(exist_ok=True)
        identity = {"name": "cycle", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"]}  # fmt: skip
        (self.home / "identities.json").write_text(json.dumps({"identities": [identity]}))
        command = [
            str(WEED), "server", f"-dir={self.home}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
            f"-s3.config={self.home}/identities.json", "-volume.max=100", "-master.volumeSizeLimitMB=64",
            "-s3.port.iceberg=0", "-s3.port.lance=0", *(f"-{name}={port}" for name, port in self.ports.items()),
        ]  # fmt: skip
        log = self.home.with_name("weed.log")
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                command, stdout=stream, stderr=stream, start_new_session=True, cwd=self.home
            )
        wait_for(self._answers, log, limit_s=120)

    def _answers(self) -> bool:
        """Whether an object can be read: after a start the list of buckets is there before their content is."""
        from botocore.exceptions import BotoCoreError, ClientError

        with contextlib.suppress(BotoCoreError, ClientError):
            client = self._client()
            if PROBE not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=PROBE)
                client.put_object(Bucket=PROBE, Key=PROBE, Body=b"1")
            return bool(client.get_object(Bucket=PROBE, Key=PROBE)["Body"].read())
        return False

    def make_bucket(self, name: str) -> None:
        self._client().create_bucket(Bucket=name)

    def die(self) -> None:
        """Without a word, as in a power cut; nothing where it is dead already."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _client(self):  # type: ignore[no-untyped-def]
        import boto3
        from botocore.config import Config

        once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
        return boto3.client(
            "s3", endpoint_url=self.address, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            region_name="us-east-1", config=once,
        )  # fmt: skip


PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
    "s3.port.grpc",
)  # fmt: skip
