"""The images come from the Hub by its own client, here from a stand-in on the loopback."""

import pytest
from hub import StandIn
from toy import Toy, checksum, make_toy, start_loading

CHUNK = 10 * 2**20  # bytes that huggingface_hub takes in before it writes: what it can resume from


@pytest.fixture
def toy(tmp_path) -> Toy:
    return make_toy(tmp_path / "served")


@pytest.fixture
def fetch(tmp_path, toy):
    """Load the toy in a new process from a Hub; gives exit code, output and errors."""

    def fetch(url: str, cache: str = "cache", what: Toy = toy, **settings: str):
        client = start_loading(
            what, tmp_path / cache, HF_ENDPOINT=url, HF_HOME=str(tmp_path / "hf"), **settings
        )
        out, err = client.communicate(timeout=60)
        return client.returncode, out.strip(), err

    return fetch


@pytest.fixture
def closed() -> str:
    """The address of a Hub that does not answer."""
    with StandIn(None) as hub:
        return hub.url


def test_a_download_gives_the_images(toy, fetch):
    with StandIn(toy.mirror) as hub:
        code, out, err = fetch(hub.url)
    assert (code, out) == (0, checksum(toy)), err
    assert hub.ranges == []


def test_a_broken_off_transfer_is_resumed_where_it_broke(tmp_path, fetch):
    large = make_toy(tmp_path / "large", shape=(64, 64, 3), train=1000)  # 12 MB
    with StandIn(large.mirror, break_at=CHUNK + 500_000) as hub:
        code, out, err = fetch(hub.url, what=large)
    assert (code, out) == (0, checksum(large)), err
    assert hub.ranges == [f"bytes={CHUNK}-"]


def test_a_filled_cache_needs_no_hub(toy, fetch, closed):
    with StandIn(toy.mirror) as hub:
        fetch(hub.url)
    code, out, err = fetch(closed)
    assert (code, out, err) == (0, checksum(toy), "")


def test_offline_mode_reads_what_was_downloaded(toy, fetch, closed):
    with StandIn(toy.mirror) as hub:
        fetch(hub.url)
    code, out, err = fetch(closed, cache="another", HF_HUB_OFFLINE="1")
    assert (code, out) == (0, checksum(toy)), err


@pytest.mark.parametrize("offline", ["0", "1"])
def test_without_network_and_mirror_the_error_names_both_variables(fetch, closed, offline):
    code, _, err = fetch(closed, HF_HUB_OFFLINE=offline)
    last = err.strip().splitlines()[-1]
    assert code == 1
    assert last.startswith("ConnectionError: someone/toy")
    assert "CREDIT_ENVS_MIRROR" in last
    assert "CREDIT_ENVS_CACHE" in last


def test_a_data_set_that_the_hub_lacks_is_said(tmp_path, fetch):
    with StandIn(tmp_path / "empty") as hub:
        code, _, err = fetch(hub.url)
    assert code == 1
    assert "ConnectionError: someone/toy is not in the cache" in err.strip().splitlines()[-1]


def test_files_that_the_hub_lacks_are_said(toy, fetch):
    for file in toy.folder.glob("test-*"):
        file.unlink()
    with StandIn(toy.mirror) as hub:
        code, _, err = fetch(hub.url)
    assert code == 1
    last = err.strip().splitlines()[-1]
    assert last.startswith("FileNotFoundError: there is no ")
    assert "plain/test-*.parquet" in last


def test_a_damaged_download_is_said_and_made_again_once_deleted(tmp_path, toy, fetch):
    with StandIn(toy.mirror) as hub:
        fetch(hub.url)
        blob = max((tmp_path / "hf").rglob("blobs/*"), key=lambda file: file.stat().st_size)
        blob.write_bytes(blob.read_bytes()[:-100])
        code, _, err = fetch(hub.url, cache="second")
        assert code == 1
        assert f"CorruptData: {blob} cannot be read" in err.strip().splitlines()[-1]
        blob.unlink()
        code, out, err = fetch(hub.url, cache="second")
    assert (code, out) == (0, checksum(toy)), err
