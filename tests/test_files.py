import os
import socket
import threading
from pathlib import Path

import pytest

from exporter.files import (
    FileStamp,
    FileTooLargeError,
    NotRegularFileError,
    open_regular,
    read_file_or_pipe,
    read_regular,
    replace_file,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- names, no paths


class TestReading:
    def test_file_of_the_limit_is_read_whole(self, file: Path) -> None:
        assert read_regular(file, len(b"content")) == b"content"

    def test_file_beyond_the_limit_is_refused(self, file: Path) -> None:
        with pytest.raises(FileTooLargeError) as caught:
            read_regular(file, len(b"content") - 1)
        assert caught.value.strerror == "more than 6 bytes"

    def test_link_is_followed(self, file: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(file)
        assert read_regular(link, 100) == b"content"

    def test_missing_file_has_the_error_of_the_system(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            read_regular(tmp_path / "missing", 100)
        assert caught.value.strerror == "No such file or directory"

    def test_pipe_is_refused_without_waiting_for_its_writer(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(NotRegularFileError) as caught:
            read_regular(tmp_path / "pipe", 100)
        assert caught.value.strerror == "not a regular file"

    def test_socket_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            with pytest.raises(NotRegularFileError):
                read_regular(path, 100)

    def test_device_is_refused(self) -> None:
        with pytest.raises(NotRegularFileError):
            read_regular(Path("/dev/null"), 100)

    def test_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(IsADirectoryError) as caught:
            read_regular(tmp_path, 100)
        assert caught.value.strerror == "Is a directory"

    def test_no_descriptor_stays_open(self, file: Path, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        before = open_descriptors()
        for path in (file, tmp_path, tmp_path / "pipe"):
            for _ in range(3):
                try:
                    read_regular(path, 1)
                except OSError:
                    continue
        assert open_descriptors() == before

    def test_file_is_closed_when_its_reader_fails(self, file: Path) -> None:
        with pytest.raises(LookupError), open_regular(file) as opened:
            raise LookupError
        assert opened.closed


class TestStamps:
    def test_stamp_of_an_unchanged_file_is_current(self, file: Path) -> None:
        assert FileStamp.read(file).is_current()

    def test_stamp_of_a_changed_file_is_not_current(self, file: Path) -> None:
        stamp = FileStamp.read(file)
        file.write_bytes(b"more content")
        assert not stamp.is_current()

    def test_stamp_of_a_replaced_file_is_not_current(self, file: Path) -> None:
        stamp = FileStamp.read(file)
        replace_file(file, b"content")
        assert not stamp.is_current()

    def test_missing_file_has_a_stamp_until_it_appears(self, tmp_path: Path) -> None:
        path = tmp_path / "missing"
        stamp = FileStamp.read(path)
        assert stamp.identity is None
        assert stamp.is_current()
        path.touch()
        assert not stamp.is_current()


class TestReplacing:
    def test_new_content_is_readable_by_all(self, file: Path) -> None:
        replace_file(file, b"new")
        assert file.read_bytes() == b"new"
        assert file.stat().st_mode & 0o777 == 0o644

    def test_failed_replacement_leaves_nothing_behind(self, tmp_path: Path) -> None:
        target = tmp_path / "openvpn.prom"
        target.mkdir()
        with pytest.raises(OSError, match="directory"):
            replace_file(target, b"new")
        assert list(tmp_path.iterdir()) == [target]


class TestPipes:
    def test_regular_file_is_read_up_to_the_limit(self, file: Path) -> None:
        assert read_file_or_pipe(file, 100) == b"content"
        assert read_file_or_pipe(file, 4) == b"cont"

    def test_pipe_is_read_to_its_end(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(b"x" * 100_000,))
        writer.start()
        assert read_file_or_pipe(pipe, 1 << 20, timeout=20) == b"x" * 100_000
        writer.join()

    def test_pipe_is_read_up_to_the_limit(self) -> None:
        reading, writing = os.pipe()
        os.write(writing, b"content")
        assert read_file_or_pipe(Path(f"/dev/fd/{reading}"), 4) == b"cont"
        os.close(reading)
        os.close(writing)

    def test_pipe_without_a_writer_is_an_error_in_time(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        before = open_descriptors()
        with pytest.raises(TimeoutError) as caught:
            read_file_or_pipe(tmp_path / "pipe", 100, timeout=0.01)
        assert caught.value.strerror == "a pipe without an end for 0.01 s"
        assert open_descriptors() == before

    def test_pipe_that_is_not_closed_is_an_error_in_time(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        descriptor = os.open(pipe, os.O_RDWR)
        os.write(descriptor, b"half of a file")
        with pytest.raises(TimeoutError):
            read_file_or_pipe(pipe, 100, timeout=0.01)
        os.close(descriptor)

    def test_directory_and_socket_are_refused(self, tmp_path: Path) -> None:
        before = open_descriptors()
        with pytest.raises(IsADirectoryError):
            read_file_or_pipe(tmp_path, 100)
        assert open_descriptors() == before
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "socket"))
            with pytest.raises(NotRegularFileError):
                read_file_or_pipe(tmp_path / "socket", 100)
