"""Makes the checkout's environments: what ./up serves from, and what ./test and `make` check with.

    python3 -I -B tools/environment.py run | dev | awscli-v1 | javascript

Standard library only, since it runs before anything is installed.  An environment is stamped with what went into it; when that
has not changed nothing is done, and one that was left half made is made anew.  Nothing is written outside its folder, but
for what npm keeps in .npm beside it meanwhile.  Progress and errors go to stderr.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
MARK = ".made-by-instep"  # a folder without it is somebody else's, and is left alone
STAMP = ".instep-stamp"


State = Callable[[Sequence[str]], str]  # from the lines printed so far to what the live line says


class SetupError(Exception):
    """What happened, and what to do next."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """A folder of installed things."""

    folder: str
    label: str

    @property
    def path(self) -> Path:
        return ROOT / self.folder

    @property
    def stamp(self) -> Path:
        return self.path / STAMP

    def read(self) -> dict[str, str]:
        """The digests it was made from."""
        try:
            lines = self.stamp.read_text(encoding="ascii").splitlines()
        except OSError:
            return {}
        return dict(line.split(" ", 1) for line in lines)

    def write(self, **digests: str) -> None:
        fresh = self.stamp.with_suffix(".new")
        fresh.write_text("".join(f"{name} {digest}\n" for name, digest in digests.items()), encoding="ascii")
        fresh.replace(self.stamp)


@dataclass(frozen=True, slots=True)
class Environment(Stamped):
    """`install` are pip's arguments for the package itself, over the requirements; `sources` is what they read."""

    requirements: tuple[str, ...]
    install: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"


@dataclass(frozen=True, slots=True)
class NodeModules(Stamped):
    """What npm installs from the lock file beside it, where Node.js looks for it; the folder is npm's own, which empties it."""

    @property
    def lock_file(self) -> Path:
        return self.path.parent / "package-lock.json"

    @property
    def sources(self) -> list[Path]:
        return [self.path.parent / "package.json", self.lock_file]


_METADATA = ("pyproject.toml", "README.md", "LICENSE")
ENVIRONMENTS = {
    "run": Environment(".venv", "environment", ("runtime.txt", "build.txt"), (".",), (*_METADATA, "src")),
    "dev": Environment(".venv-dev", "development", ("dev.txt",), ("--editable", "."), _METADATA),
    "awscli-v1": Environment(".venv-awscli-v1", "AWS CLI v1", ("awscli-v1.txt",)),
}
NODE_MODULES = {"javascript": NodeModules("tests/wire/js/node_modules", "JavaScript")}

# What pip and npm say, and what it means for the person at the keyboard; the first that fits is told.
_DIAGNOSES = {
    r"DO NOT MATCH THE HASHES": (
        "A downloaded package is not the one that instep was tested with: its hash differs. Something between here and the "
        "package index changes packages. Check the index or mirror that pip uses (pip config list) before you try again."
    ),
    r"EINTEGRITY": (
        "A downloaded package is not the one that instep was tested with: its hash differs. Something between here and the "
        "package registry changes packages. Check the registry or mirror that npm uses (npm config list) before you try again."
    ),
    r"EBADENGINE": "This Node.js is too old for a package. Install 18 or newer, then run this again.",
    r"npm (?:error|ERR!) code \w*CERT": (
        "The package registry shows a certificate not trusted here. Behind an inspecting proxy, name its certificate in "
        "NODE_EXTRA_CA_CERTS."
    ),
    r"npm (?:error|ERR!) code (?:ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|E\w+UNREACH|ERR_SOCKET_TIMEOUT|ETARGET|E\d{3})\b": (
        "The package registry does not give npm what it asks for. Check the network, and the proxy, registry or mirror that "
        "npm uses (npm config list), then run this again."
    ),
    r"No space left on device|Disk quota exceeded": "The disk is full. Make room, then run this again.",
    r"Read-only file system|Permission denied": "The checkout cannot be written. Make it writable, or copy it elsewhere.",
    r"CERTIFICATE_VERIFY_FAILED": (
        "The package index shows a certificate not trusted here. Behind an inspecting proxy, name its certificate in PIP_CERT."
    ),
    r"[Cc]onnection|Network is unreachable|name resolution|ProxyError|timed out|Max retries": (
        "The package index cannot be reached. Check the network (a proxy is named in HTTPS_PROXY, a mirror in PIP_INDEX_URL), "
        "then run this again."
    ),
    r"No matching distribution found for (\S+)": (
        "There is no ready-made {0} for this Python and system at the package index that pip uses. "
        "Try another Python (PYTHON=python3.12), or another mirror."
    ),
}


class Progress:
    """One line per step.  On a terminal the line lives while the step runs; elsewhere its begin and end are printed."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._live = sys.stderr.isatty()
        self._began = time.monotonic()

    @property
    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"

    def begin(self, text: str) -> None:
        if not self._live:
            self._line(f"{text} …")

    def tick(self, text: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{f'{self._label:<13} {text} … {self._seconds}'[:width]}")
            sys.stderr.flush()

    def end(self, text: str) -> None:
        self.clear()
        self._line(f"{text} · {self._seconds}")

    def clear(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")

    def _line(self, text: str) -> None:
        sys.stderr.write(f"{self._label:<13} {text}\n")
        sys.stderr.flush()


class Setup:
    """One environment being made, in our turn; `turn` is the descriptor that holds it."""

    def __init__(self, environment: Environment, turn: int) -> None:
        self._environment = environment
        self._progress = Progress(environment.label)
        self._commands = Commands(self._progress, environment.path / "tmp", turn)

    def run(self) -> None:
        """Makes the environment what its requirements and sources say, if it is not so already.  Raises SetupError."""
        environment = self._environment
        base = digest([ROOT / "requirements" / name for name in environment.requirements], sys.version, str(environment.path))
        package = digest([ROOT / name for name in environment.sources])
        made = environment.read()
        base_stands = made.get("base") == base and environment.python.exists()
        if base_stands and made.get("package") == package:
            return
        if not base_stands:
            self._make_empty()
            self._install_requirements()
        # Until it is whole again it has no stamp: whatever stops us here, the next run begins anew.
        environment.stamp.unlink(missing_ok=True)
        if environment.install:
            self._progress.begin("installing instep")
            arguments = ("--no-deps", "--no-build-isolation", "--force-reinstall", *environment.install)
            self._pip(arguments, lambda _lines: "installing instep")
        environment.write(base=base, package=package)
        self._progress.end("ready")

    def _make_empty(self) -> None:
        if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise SetupError(
                f"This Python ({sys.executable}) has no venv. Install it (Debian, Ubuntu: apt install python3-venv, "
                f"or python{version}-venv for a Python beside the system's), then run this again."
            )
        path = self._environment.path
        if path.exists():
            if any(path.iterdir()) and not (path / MARK).exists():
                raise SetupError(f"{path} was not made by instep's set-up. Remove or rename it, then run this again.")
            shutil.rmtree(path)
        path.mkdir()
        (path / MARK).touch()
        self._progress.begin("making it")
        self._commands.run([sys.executable, "-I", "-m", "venv", str(path)], lambda _lines: "making it")

    def _install_requirements(self) -> None:
        files = [ROOT / "requirements" / name for name in self._environment.requirements]
        total = sum(len(re.findall(r"^[\w.-]+==", file.read_text(encoding="utf-8"), re.MULTILINE)) for file in files)

        def state(lines: Sequence[str]) -> str:
            fetched = sum(line.startswith("Collecting ") for line in lines)
            if lines and lines[-1].startswith("Installing collected packages"):
                return f"installing {fetched} packages"
            return f"fetching package {fetched} of {total}"

        self._progress.begin(f"fetching and installing {total} packages")
        named = [word for file in files for word in ("-r", str(file))]
        self._pip(["--require-hashes", "--only-binary=:all:", *named], state)

    def _pip(self, arguments: Sequence[str], state: State) -> None:
        options = ("--no-cache-dir", "--no-input", "--progress-bar=off", "--retries=3")
        self._commands.run([str(self._environment.python), "-I", "-m", "pip", "install", *options, *arguments], state)


class NodeSetup:
    """The packages of one lock file being installed, in our turn; `turn` is the descriptor that holds it."""

    def __init__(self, modules: NodeModules, turn: int) -> None:
        self._modules = modules
        self._progress = Progress(modules.label)
        self._commands = Commands(self._progress, modules.path.parent / ".npm", turn)

    def run(self) -> None:
        """Makes the folder what the lock file says, if it is not so already.  Raises SetupError."""
        modules = self._modules
        base = digest((), *(file.read_text(encoding="utf-8") for file in modules.sources))
        if modules.read().get("base") == base:
            return
        npm = shutil.which("npm")
        if npm is None:
            raise SetupError(
                "There is no npm here. Install Node.js 18 or newer with it (Debian, Ubuntu: apt install nodejs npm), "
                "then run this again."
            )
        total = len(json.loads(modules.lock_file.read_text(encoding="utf-8"))["packages"]) - 1  # the first one is ours
        doing = f"fetching and installing {total} packages"
        self._progress.begin(doing)
        # Until it is whole again it has no stamp, as above; npm itself begins by emptying the folder.
        modules.stamp.unlink(missing_ok=True)
        options = ("--engine-strict", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress")
        folders = ("--cache", str(self._commands.temporary), "--prefix", str(modules.path.parent))
        self._commands.run([npm, "ci", *options, *folders], lambda _lines: doing)
        modules.write(base=base)
        self._progress.end("ready")


class Commands:
    """Runs commands under a live line, one at a time, in our turn; `temporary` is a folder that is there meanwhile."""

    def __init__(self, progress: Progress, temporary: Path, turn: int) -> None:
        self.temporary = temporary
        self._progress = progress
        self._turn = turn

    def run(self, command: Sequence[str], state: State) -> None:
        """What `command` prints is shown only when it fails.  Raises SetupError."""
        self.temporary.mkdir(exist_ok=True)
        # pip asks rustc for its version, and a rustup without a home would make itself one in the person's.
        variables = surroundings() | {"TMPDIR": str(self.temporary), "RUSTUP_HOME": str(self.temporary)}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=(self._turn,),  # our turn lasts as long as the command, even if we are killed
        )
        assert process.stdout is not None
        output = process.stdout
        incoming: SimpleQueue[str | None] = SimpleQueue()

        def read() -> None:
            with output:
                for line in output:
                    incoming.put(line)
            incoming.put(None)

        threading.Thread(target=read, daemon=True).start()
        lines: list[str] = []
        try:
            while True:
                self._progress.tick(state(lines))
                try:
                    line = incoming.get(timeout=0.2)
                except Empty:
                    continue
                if line is None:
                    break
                lines.append(line)
            process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            self._progress.clear()
        if process.returncode != 0:
            raise SetupError(diagnosis("".join(lines)))
        shutil.rmtree(self.temporary)


def surroundings() -> dict[str, str]:
    """The process's variables, less those that would have pip install elsewhere; mirror, proxy and certificates stay."""
    dropped = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONHOME", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def diagnosis(output: str) -> str:
    """What a failed command's output means, and its last lines."""
    last = "".join(f"    {line}\n" for line in output.splitlines()[-8:])
    for pattern, sentence in _DIAGNOSES.items():
        if found := re.search(pattern, output):
            return f"{sentence.format(*found.groups())}\n{last}".rstrip()
    return f"The set-up did not work; run it again, or mend what is said here:\n{last}".rstrip()


def digest(paths: Iterable[Path], *words: str) -> str:
    """One digest over files, folders of files (less compiled ones), and words."""
    total = hashlib.sha256()
    for word in words:
        total.update(word.encode() + b"\0")
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


@contextmanager
def turn() -> Iterator[int]:
    """One set-up of a checkout at a time; the others wait.  The lock is on this very file, so that none has to be made."""
    with Path(__file__).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Progress("set-up").begin("waiting for another one of this checkout")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def main(arguments: Sequence[str]) -> int:
    known = ENVIRONMENTS | NODE_MODULES
    if not arguments or not known.keys() >= set(arguments):
        sys.stderr.write(f"usage: environment.py {' | '.join(known)}\n")
        return 2
    try:
        with turn() as descriptor:
            for name in arguments:
                if name in NODE_MODULES:
                    NodeSetup(NODE_MODULES[name], descriptor).run()
                else:
                    Setup(ENVIRONMENTS[name], descriptor).run()
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{diagnosis(str(error))}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Run this again to go on.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
