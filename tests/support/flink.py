"""A Flink cluster of this machine: JobManager, TaskManagers and a worker pool as processes of their own on loopback ports."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from pipelines.failures import RunError
from runners.engines.flink.cluster import Cluster
from runners.process.children import ending_with_parent
from tests.support.emulator import missing
from tests.support.live import process_of

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "runners" / "engines" / "flink"
_OPEN = (
    "java.base/java.lang",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.nio",
    "java.base/sun.nio.ch",
)
_JAVA = [option for name in _OPEN for option in ("--add-opens", f"{name}=ALL-UNNAMED")]
_MEMORY = {
    # Flink's scripts work these out of the size of the process; here the classes are started without them.
    "taskmanager.cpu.cores": 2.0,
    "taskmanager.memory.task.heap.size": "256m",
    "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.network.min": "128m",
    "taskmanager.memory.network.max": "128m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
}


class _Watchdog:
    """Tells Flink's gateway that this program lives: without one it ends ten seconds after its start, at work or not."""

    def ping(self) -> bool:
        return True

    class Java:
        implements: ClassVar = ["org.apache.flink.client.python.PythonGatewayServer$Watchdog"]


@dataclass
class Processes:
    """A cluster that runs."""

    folder: Path
    libraries: Path
    cluster: Cluster
    managers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def add_task_manager(self) -> "subprocess.Popen[bytes]":
        """Starts one more, and waits until it is registered."""
        before = set(self.cluster.task_managers())
        self.managers.append(self._start("org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "-Xmx512m"))
        wait(60, lambda: set(self.cluster.task_managers()) - before, self.managers[-1])
        return self.managers[-1]

    def add_job_manager(self) -> "subprocess.Popen[bytes]":
        """Starts the one there is, at its address; without high availability it knows nothing of one before."""
        manager = self._start("org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx512m")
        self.managers.insert(0, manager)
        wait(90, lambda: answers(self.cluster), manager)
        return manager

    def unbounded_job(self, name: str) -> None:
        """Hands a job over that goes on for ever: numbers into nothing, with checkpoints each second."""
        address = self.folder / f"{name}.gateway"
        address.unlink(missing_ok=True)
        gateway = self._start("org.apache.flink.client.python.PythonGatewayServer", "-Xmx256m", address=address)
        try:
            wait(60, address.exists, gateway)
            self._insert(name, int.from_bytes(address.read_bytes()[:4], "big"))
        finally:
            end(gateway)

    def _insert(self, name: str, port: int) -> None:
        from py4j.java_gateway import CallbackServerParameters, GatewayParameters, JavaGateway

        # Without its memory management, which calls a gateway that has ended.
        client = JavaGateway(
            gateway_parameters=GatewayParameters(port=port, enable_memory_management=False),
            callback_server_parameters=CallbackServerParameters(port=0, daemonize=True, daemonize_connections=True),
        )
        callbacks = client.get_callback_server().get_listening_port()
        client.java_gateway_server.resetCallbackClient(client.jvm.java.net.InetAddress.getByName("127.0.0.1"), callbacks)
        client.entry_point.put("Watchdog", _Watchdog())
        jvm = client.jvm
        settings = jvm.org.apache.flink.configuration.Configuration()
        told = {"pipeline.name": name, "execution.target": "remote", "execution.checkpointing.interval": "1 s"}
        host, rest = self.cluster.address.removeprefix("http://").split(":")
        kept = "execution.checkpointing.externalized-checkpoint-retention"
        for key, value in {**told, "rest.address": host, "rest.port": rest, kept: "RETAIN_ON_CANCELLATION"}.items():
            settings.setString(key, value)
        tables = jvm.org.apache.flink.table.api.TableEnvironment.create(settings)
        tables.executeSql("CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '5')")
        tables.executeSql("CREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole')")
        tables.executeSql("INSERT INTO nothing SELECT n FROM numbers")
        client.shutdown_callback_server()
        client.close()

    def _start(self, name: str, memory: str, address: Path | None = None) -> "subprocess.Popen[bytes]":
        path = os.pathsep.join(str(self.libraries / jar) for jar in ("lib/*", "opt/*"))
        settings = ["--configDir", str(self.folder)] if address is None else []
        command = ["java", memory, *_JAVA, "-cp", path, name, *settings]
        with open(self.folder / f"{name.rsplit('.')[-1]}.log", "ab") as log:
            return subprocess.Popen(
                command if address else ending_with_parent(command),
                # The gateway ends when its input does.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "FLINK_CONF_DIR": str(self.folder), "_PYFLINK_CONN_INFO_PATH": str(address)},
            )


@contextmanager
def flink(folder: Path, **given: Any) -> Iterator[Processes]:
    """Runs a JobManager, with the configuration that is shipped but for addresses, folders, memory and what is given."""
    libraries = _libraries()
    shipped = yaml.safe_load((RECIPE / "config.yaml").read_text())
    port = free_port()
    own = {
        "jobmanager.rpc.port": free_port(),
        "rest.port": port,
        "rest.bind-port": port,
        "execution.target": "remote",
        "execution.checkpointing.dir": f"file://{folder}/checkpoints",
        "execution.checkpointing.savepoint-dir": f"file://{folder}/savepoints",
        "heartbeat.interval": 2000,
        "heartbeat.timeout": 20000,
        "restart-strategy.failure-rate.delay": "1 s",
    }
    kept = {key: value for key, value in shipped.items() if "memory" not in key}
    (folder / "config.yaml").write_text(json.dumps({**kept, **_MEMORY, **own, **given}))
    running = Processes(folder, libraries, Cluster(f"http://localhost:{port}"))
    with ExitStack() as stack:
        stack.callback(lambda: [end(process) for process in running.managers])
        running.add_job_manager()
        yield running


def streaming(subscription: str, out: Path, *given: str) -> AbstractContextManager["subprocess.Popen[str]"]:
    """Runs `trueup stream` on Flink; of what is given, flags of the runner are those with a value."""
    own = [option for option in given if "=" not in option]
    stream = ["stream", "--subscription", subscription, "--output", str(out), "--runner", "FlinkRunner", *own]
    command = [sys.executable, "-c", "from runners.cli import main; main()", *stream, "--", *(set(given) - set(own))]
    return process_of(ending_with_parent(command))


@contextmanager
def worker_pool(*options: str) -> Iterator[int]:
    """Runs a worker pool as the recipe does, in an environment whose PATH has another python first; gives its port."""
    process = subprocess.Popen(
        ending_with_parent([sys.executable, "-m", "runners.engines.flink.worker_pool", "--port", "0", *options]),
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        # Elsewhere than this process, as on a cluster: a relative path would be another one.
        cwd="/",
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "worker pool at" in line)
        assert told.startswith("worker pool at 127.0.0.1:")
        # Workers write there, too: where nobody reads they wait, once 64 KB are in the pipe.
        threading.Thread(target=process.stderr.read, name="pool's stderr", daemon=True).start()
        yield int(told.rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.communicate(timeout=30)


def end(process: "subprocess.Popen[Any]") -> None:
    """Ends a process at once."""
    process.kill()
    process.communicate()


def answers(cluster: Cluster) -> bool:
    """Whether the JobManager is up."""
    try:
        cluster.configuration()
    except RunError:
        return False
    return True


def wait(seconds: float, until: Callable[[], Any], process: "subprocess.Popen[Any] | None" = None) -> Any:
    """What it waits for; fails if that does not come, or the process ends first."""
    end = time.monotonic() + seconds
    while not (found := until()):
        assert process is None or process.poll() is None, f"the process has ended: {process.poll()}"
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _libraries() -> Path:
    found = importlib.util.find_spec("pyflink")
    if found is None or (found.origin is None and not found.submodule_search_locations):
        missing("Flink: `pip install --group flink`")
    if shutil.which("java") is None:
        missing("java: install a headless Java 17, for example the package openjdk-17-jre-headless")
    assert found is not None
    return Path(next(iter(found.submodule_search_locations or [str(Path(str(found.origin)).parent)])))
