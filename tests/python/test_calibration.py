"""Tables of dynamic ranges: what they depend on, and which table serves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import networks
from chexnet_trt import calibration, feeding
from chexnet_trt._core import CalibrationTable, InputError, quantization_points, storable_amax
from chexnet_trt.calibration import Method, calibrate_network, obtain_table, read_table
from chexnet_trt.network import Network, read
from int8_networks import NETWORK, pixels, write_chain
from synthetic_xray import synthetic_xray

PIXELS = pixels(11)
ALGORITHMS = ("entropy", "minmax", "percentile")


@pytest.fixture(scope="module")
def network(small_uff: Path) -> Network:
    return read(small_uff, **NETWORK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films")
    for index, image in enumerate(PIXELS):
        Image.fromarray(image).save(path / f"{index:02}.png")
    return path


@pytest.fixture(scope="module")
def table(network: Network, folder: Path) -> CalibrationTable:
    return calibrate_network(network, feeding.open_source(folder), Method())


def ranges(table: CalibrationTable) -> list[tuple[str, float]]:
    return sorted(table.ranges.items())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_order_and_batch_size_do_not_count(small_uff, monkeypatch, algorithm):
    def calibrate(images):
        return ranges(ct.calibrate(small_uff, images, **NETWORK, algorithm=algorithm))

    expected = calibrate(PIXELS)
    assert calibrate(PIXELS[::-1]) == expected
    assert calibrate(np.random.default_rng(0).permutation(PIXELS)) == expected
    for batch in (1, 11):
        monkeypatch.setattr(calibration, "_BATCH", batch)
        assert calibrate(PIXELS) == expected


def test_every_kind_of_data_gives_the_same_ranges(small_uff, folder, tmp_path, table):
    files = sorted(folder.iterdir())
    (tmp_path / "list.txt").write_text("".join(f"{file}\n" for file in reversed(files)))
    np.save(tmp_path / "films.npy", PIXELS)
    same = [folder, str(folder), files, tmp_path / "list.txt"]
    for data in same:
        assert ct.calibrate(small_uff, data, **NETWORK).to_text() == table.to_text()
    values = np.moveaxis(PIXELS, 3, 1) / np.float32(255)
    for data in (tmp_path / "films.npy", PIXELS, iter(PIXELS), values):
        assert ranges(ct.calibrate(small_uff, data, **NETWORK)) == ranges(table)


def test_the_ranges_are_of_the_points_and_storable(network, table):
    points = {name for name, _, _ in quantization_points(network.optimized)}
    assert set(table.ranges) == points
    assert all(amax == storable_amax(amax) > 0 for amax in table.ranges.values())


def test_minmax_is_the_largest_magnitude_of_all_numbers(small_uff):
    values = networks.small_images(5)
    for sample_limit in (0, 1):
        found = ct.calibrate(
            small_uff, values, **NETWORK, algorithm="minmax", sample_limit=sample_limit
        ).ranges
        assert found[networks.INPUT] == storable_amax(float(np.abs(values).max()))


def test_the_network_fed_with_its_own_values_needs_no_preprocessing(small_uff):
    without = {**NETWORK, "preprocessing": None}
    assert ct.calibrate(small_uff, networks.small_images(2), **without).ranges
    with pytest.raises(InputError, match="--preprocess"):
        ct.calibrate(small_uff, PIXELS, **without)


def test_bytes_are_the_input_of_an_embedded_preprocessing(small_uff, table):
    embedded = ct.calibrate(small_uff, PIXELS, **NETWORK, u8_input=True)
    assert embedded.ranges["relu"] == pytest.approx(table.ranges["relu"], rel=0.05)
    found, plain = embedded.provenance, table.provenance
    assert found.network_sha256 != plain.network_sha256
    assert found.preprocessing_sha256 != plain.preprocessing_sha256


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_grid_of_positions_says_what_all_positions_say(tmp_path, algorithm):
    path = write_chain(tmp_path / "chain.uff", size=64, layers=2)
    options = {**NETWORK, "inputs": {networks.INPUT: (3, 64, 64)}, "algorithm": algorithm}
    films = np.stack([synthetic_xray(seed, 64) for seed in range(24)])
    sampled = ct.calibrate(path, films, **options)
    complete = ct.calibrate(path, films, **options, sample_limit=0)
    assert calibration.SAMPLE_LIMIT < 64 * 64 * 8
    assert set(sampled.ranges) == set(complete.ranges)
    if algorithm == "minmax":
        assert ranges(sampled) == ranges(complete)
    for name, amax in complete.ranges.items():
        assert sampled.ranges[name] == pytest.approx(amax, rel=0.15), name


def test_provenance_says_what_the_table_was_made_from(network, folder, table):
    found = table.provenance
    source = feeding.open_source(folder)
    assert found.network_sha256 == network.optimized.hash()
    assert found.images_sha256 == source.digest()
    assert found.image_count == len(PIXELS)
    assert (found.algorithm, found.calibrator_version) == ("entropy", 1)
    assert found.sample_limit == calibration.SAMPLE_LIMIT
    percentile = calibrate_network(network, source, Method("percentile", 99.5))
    assert percentile.provenance.algorithm == "percentile 99.5"
    extremes = calibrate_network(network, source, Method("minmax", sample_limit=8))
    assert extremes.provenance.sample_limit == 0  # It takes all numbers.
    assert percentile.header == CalibrationTable.header_for("percentile")


def test_a_limit_takes_the_first_images(small_uff):
    limited = ct.calibrate(small_uff, PIXELS, **NETWORK, limit=4)
    assert limited.to_text() == ct.calibrate(small_uff, PIXELS[:4], **NETWORK).to_text()


def test_progress_counts_images(network):
    calls = []
    source = feeding.open_source(PIXELS)
    calibrate_network(network, source, Method(), progress=lambda *call: calls.append(call))
    assert calls == [("calibrate", done, 11) for done in (4, 8, 11)]


def test_what_cannot_be_calibrated_is_refused(small_uff, tmp_path):
    def refused(says, data=PIXELS, **options):
        with pytest.raises(InputError, match=says):
            ct.calibrate(small_uff, data, **{**NETWORK, **options})

    refused("unknown calibration algorithm 'kl'", algorithm="kl")
    refused("percentile", algorithm="percentile", percentile=0)
    refused("unknown backend", backend="nowhere")
    refused("takes float32", networks.small_images(1)[:, :, :4])
    refused("no numbers", np.full((1, 3, 8, 8), np.nan, np.float32))
    refused("0 or more", threads=-1)
    tmp_path.joinpath("bad.png").write_bytes(b"\x89PNG nothing")
    Image.fromarray(PIXELS[0]).save(tmp_path / "good.png")
    refused("one of 2 images .*bad.png", tmp_path)


def test_values_beyond_float32_are_named(tmp_path):
    path = write_chain(tmp_path / "chain.uff", outlier=1e38)
    with pytest.raises(InputError, match=r"cannot calibrate 'relu_0'.*preprocessing"):
        ct.calibrate(path, 1000 * networks.small_images(1), **NETWORK)


@pytest.fixture
def cache(tmp_path: Path, table: CalibrationTable) -> Path:
    path = tmp_path / "net.calib"
    table.write(str(path))
    return path


def test_a_table_that_fits_is_read(network, folder, table, cache):
    source = feeding.open_source(folder)
    for options in ({}, {"method": Method()}, {"source": source}):
        assert read_table(cache, network, **options).to_text() == table.to_text()


def other_network(small_uff: Path, folder: Path) -> Network:
    return read(networks.write_uff(folder / "other.uff", seed=1), **NETWORK)


def test_the_field_that_differs_is_named(network, small_uff, tmp_path, cache):
    def refused(field, network=network, **options):
        with pytest.raises(InputError, match=rf"net.calib' was made from .*: {field} is .* here;"):
            read_table(cache, network, **options)

    refused("network_sha256", other_network(small_uff, tmp_path))
    refused("preprocessing_sha256", read(small_uff, **{**NETWORK, "preprocessing": "torch"}))
    refused("preprocessing_sha256", read(small_uff, **{**NETWORK, "preprocessing": None}))
    refused("network_sha256", read(small_uff, **NETWORK, u8_input=True))
    refused("images_sha256", source=feeding.open_source(PIXELS[:4]))
    refused("algorithm", method=Method("minmax"))
    refused("algorithm", method=Method("percentile", 99))
    refused("sample_limit", method=Method(sample_limit=0))


def test_a_table_of_another_calibrator_is_refused(network, cache):
    text = cache.read_text()
    cache.write_text(text.replace("#calibrator_version=1", "#calibrator_version=2"))
    with pytest.raises(InputError, match="calibrator_version is 2 in the table and 1 here"):
        read_table(cache, network)
    cache.write_text(text.replace("#sample_limit=16384: 00000000\n", ""))
    with pytest.raises(InputError, match=r"lacks #sample_limit; calibrate again"):
        read_table(cache, network)


def test_a_foreign_table_is_taken_on_request_only(network, tmp_path, table):
    path = tmp_path / "foreign.calib"
    CalibrationTable(table.header, table.ranges).write(str(path))
    with pytest.raises(InputError, match=r"foreign.calib' does not say.*--accept-foreign-cache"):
        read_table(path, network)
    assert read_table(path, network, accept_foreign=True).ranges == table.ranges


def test_obtain_without_cache_and_data_is_nothing(network):
    assert obtain_table(network, source=None, cache=None) is None


def test_a_missing_cache_needs_data(network, tmp_path):
    with pytest.raises(InputError, match=r"no calibration table '.*gone.calib'.*--calib-data"):
        obtain_table(network, source=None, cache=str(tmp_path / "gone.calib"))


def test_a_cache_is_written_once_and_used_again(network, folder, tmp_path, table, monkeypatch):
    cache = tmp_path / "net.calib"
    source = feeding.open_source(folder)
    made = obtain_table(network, source=source, cache=str(cache))
    assert made.to_text() == cache.read_text() == table.to_text()
    before = cache.stat().st_mtime_ns

    def calibrate_again(*args: object, **options: object) -> None:
        raise AssertionError("the table is there")

    monkeypatch.setattr(calibration, "calibrate_network", calibrate_again)
    for again in (source, None):
        assert obtain_table(network, source=again, cache=str(cache)).ranges == table.ranges
    assert cache.stat().st_mtime_ns == before


def test_a_stale_cache_is_refused_and_stays(network, folder, cache):
    content = cache.read_bytes()
    with pytest.raises(InputError, match="algorithm is entropy in the table and minmax here"):
        obtain_table(
            network,
            source=feeding.open_source(folder),
            cache=str(cache),
            method=Method("minmax"),
        )
    assert cache.read_bytes() == content
