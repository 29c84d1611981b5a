from __future__ import annotations

import builtins
import io
import json
import logging
import re

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from chexnet_trt._core import InputError
from chexnet_trt.cli import main
from chexnet_trt.images import read_image
from dicom_files import PATIENT, film, look_up_table, save
from synthetic_xray import synthetic_xray

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 256, (11, 13), np.uint8)
TWELVE = RNG.integers(0, 4096, (11, 13)).astype(np.uint16)
SIGNED = (TWELVE.astype(np.int16) - 2048).astype(np.int16)


@pytest.fixture
def shown(tmp_path):
    def read(dataset):
        (plane,) = read_image(save(dataset, tmp_path / "film.dcm"))
        assert plane.mode == "F"
        return np.asarray(plane)

    return read


def windowed(pixels, center, width):
    return np.clip((pixels - (center - 0.5)) / (width - 1.0) + 0.5, 0, 1) * 255


def test_eight_bits_are_gray_levels(shown):
    assert np.array_equal(shown(film(EIGHT)), EIGHT)


def test_monochrome1_is_inverted_once(shown):
    dark_is_high = {"PhotometricInterpretation": "MONOCHROME1"}
    assert np.array_equal(shown(film(255 - EIGHT, **dark_is_high)), EIGHT)
    inverse = {"PresentationLUTShape": "INVERSE"}
    assert np.array_equal(shown(film(255 - EIGHT, **inverse)), EIGHT)
    assert np.array_equal(shown(film(255 - EIGHT, **dark_is_high, **inverse)), EIGHT)


@pytest.mark.parametrize("pixels", [TWELVE, SIGNED], ids=["unsigned", "signed"])
def test_without_a_window_the_stored_bits_are_the_range(shown, pixels):
    assert np.allclose(shown(film(pixels, 12)), TWELVE * (255 / 4095), atol=1e-4)


def test_bits_above_those_stored_are_ignored(shown):
    overlay = TWELVE | (RNG.integers(0, 16, TWELVE.shape) << 12).astype(np.uint16)
    assert np.allclose(shown(film(overlay, 12)), TWELVE * (255 / 4095), atol=1e-4)


def test_window_is_the_first_and_is_not_rounded(shown):
    levels = shown(film(TWELVE, 12, WindowCenter=[1500, 9], WindowWidth=[2000, 9]))
    assert np.allclose(levels, windowed(TWELVE.astype(float), 1500, 2000), atol=1e-4)
    assert len(np.unique(levels)) > 50
    assert not np.array_equal(levels, levels.round())


def test_window_is_in_rescaled_units(shown):
    rescale = {"RescaleSlope": "0.5", "RescaleIntercept": "-100"}
    levels = shown(film(SIGNED, 12, **rescale, WindowCenter="50", WindowWidth="600"))
    assert np.allclose(levels, windowed(SIGNED * 0.5 - 100, 50, 600), atol=1e-4)
    negative = film(EIGHT, RescaleSlope="-1", RescaleIntercept="255")
    assert np.array_equal(shown(negative), 255 - EIGHT)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescaled", [False, True])
def test_windows_agree_with_pydicom(shown, function, rescaled):
    dataset = film(TWELVE, 12, WindowCenter=1800, WindowWidth=900, VOILUTFunction=function)
    slope = 1.5 if rescaled else 1
    if rescaled:
        dataset.RescaleSlope, dataset.RescaleIntercept = 1.5, 0
    peer = apply_voi_lut(apply_modality_lut(TWELVE, dataset), dataset)
    assert np.allclose(shown(dataset), peer * (255 / (4095 * slope)), atol=1e-3)


def test_look_up_tables_agree_with_pydicom(shown):
    rising = np.cumsum(RNG.integers(1, 16, 3000)).astype(int)
    voi = look_up_table(300, rising.tolist(), 16)
    dataset = film(TWELVE, 12, VOILUTSequence=Sequence([voi]), WindowCenter=10, WindowWidth=10)
    assert np.allclose(shown(dataset), apply_voi_lut(TWELVE, dataset) * (255 / 65535), atol=1e-4)
    dataset.ModalityLUTSequence = Sequence([look_up_table(0, list(range(4095, -1, -1)), 16)])
    peer = apply_voi_lut(apply_modality_lut(TWELVE, dataset), dataset)
    assert np.allclose(shown(dataset), peer * (255 / 65535), atol=1e-4)


def test_long_look_up_tables_of_bytes(shown):
    """Where pydicom 3.0's index wraps around."""
    table = look_up_table(0, [value // 16 for value in range(4096)], 8)
    dataset = film(TWELVE, 12, VOILUTSequence=Sequence([table]))
    assert np.array_equal(shown(dataset), TWELVE // 16)


def test_modality_tables_of_twelve_bits(shown):
    """Which pydicom 3.0 does not know. Without a window their bits are the range."""
    table = look_up_table(0, list(range(4095, -1, -1)), 12)
    levels = shown(film(TWELVE, 12, ModalityLUTSequence=Sequence([table])))
    assert np.allclose(levels, (4095 - TWELVE.astype(float)) * (255 / 4095), atol=1e-4)


def test_look_up_tables_in_words_and_in_bytes(shown):
    table = look_up_table(-2048, [], 16, signed=True)
    table.LUTDescriptor = [0, -2048, 16]
    table.add_new("LUTData", "OW", np.arange(65536, dtype="<u2").tobytes())
    dataset = film(SIGNED, 12, VOILUTSequence=Sequence([table]))
    assert np.allclose(shown(dataset), TWELVE * (255 / 65535), atol=1e-4)
    packed = look_up_table(0, [0] * 256, 8)
    packed.add_new("LUTData", "OW", bytes(range(255, -1, -1)))
    assert np.array_equal(shown(film(EIGHT, VOILUTSequence=Sequence([packed]))), 255 - EIGHT)


def test_padding_is_black_whatever_the_polarity(shown):
    pixels = SIGNED.clip(-1500, None)
    pixels[:, :4], pixels[:, 4] = -2000, -1990
    elements = {"WindowCenter": 0, "WindowWidth": 4000}
    plain = shown(film(pixels, 12, **elements))
    for polarity in ("MONOCHROME1", "MONOCHROME2"):
        dataset = film(pixels, 12, **elements, PhotometricInterpretation=polarity)
        dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
        assert (shown(dataset)[:, :4] == 0).all()
        assert (shown(dataset)[:, 4] != 0).all()
        dataset.add_new("PixelPaddingRangeLimit", "SS", -1990)
        levels = shown(dataset)
        assert (levels[:, :5] == 0).all()
        inverted = polarity == "MONOCHROME1"
        assert np.allclose(levels[:, 5:], (255 - plain if inverted else plain)[:, 5:], atol=1e-4)


def test_padding_that_cannot_be_stored_hides_nothing(shown):
    dataset = film(TWELVE, 12)
    dataset.add_new("PixelPaddingValue", "US", 65535)
    assert np.allclose(shown(dataset), TWELVE * (255 / 4095), atol=1e-4)


@pytest.mark.parametrize("pixels", [TWELVE, SIGNED], ids=["unsigned", "signed"])
def test_rle(shown, pixels):
    dataset = film(pixels, 12)
    dataset.compress(RLELossless)
    assert np.allclose(shown(dataset), TWELVE * (255 / 4095), atol=1e-4)


def test_jpeg(shown):
    smooth = synthetic_xray(0, 64)
    dataset = film(smooth)
    stream = io.BytesIO()
    Image.fromarray(smooth).save(stream, "JPEG", quality=95)
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    assert np.abs(shown(dataset) - smooth).mean() < 2


def test_jpeg_lossless(tmp_path):
    """What archives hold most, and what the extra's codec is for."""
    gdcm = pytest.importorskip("gdcm")
    source, target = tmp_path / "plain.dcm", tmp_path / "lossless.dcm"
    save(film(TWELVE, 12), source)
    reader, change, writer = (
        gdcm.ImageReader(),
        gdcm.ImageChangeTransferSyntax(),
        gdcm.ImageWriter(),
    )
    reader.SetFileName(str(source))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert pydicom.dcmread(target).file_meta.TransferSyntaxUID == JPEGLosslessSV1
    (plane,) = read_image(target)
    assert np.allclose(np.asarray(plane), TWELVE * (255 / 4095), atol=1e-4)


REFUSED = {
    "modality is CT": {"Modality": "CT"},
    "raw detector values": {"PresentationIntentType": "FOR PROCESSING"},
    "its view is LATERAL": {"ViewPosition": "XTABLE LATERAL"},
    "its view is LL": {"ViewPosition": "LL"},
    "its view is LAO": {"ViewPosition": "LAO"},
    "2 frames": {"NumberOfFrames": 2},
    "pixels are not square": {"PixelSpacing": [0.1, 0.2]},
    r"not square \(PixelAspectRatio": {"PixelAspectRatio": [1, 2]},
    "'PALETTE COLOR', not MONOCHROME1": {"PhotometricInterpretation": "PALETTE COLOR"},
    "bits 8 down to 0 of 8": {"BitsStored": 9, "HighBit": 8},
    "bits 7 down to 4 of 8": {"BitsStored": 4, "HighBit": 7},
    "its size is 13x0": {"Rows": 0},
    r"more than 89,478,485 pixels": {"Rows": 65535, "Columns": 65535},
    "rescale slope 0.0": {"RescaleSlope": 0},
    "rescale slope 1.0 and intercept 1e": {"RescaleIntercept": "1e30"},
    "window of centre 9.0, width 0.0": {"WindowCenter": 9, "WindowWidth": 0},
    "VOI LUT function": {"WindowCenter": 9, "WindowWidth": 9, "VOILUTFunction": "GAMMA"},
}


@pytest.mark.parametrize(("message", "elements"), REFUSED.items())
def test_refusals_are_one_line(shown, message, elements):
    with pytest.raises(InputError, match=message) as error:
        shown(film(EIGHT, **elements))
    assert re.fullmatch(r"cannot use the DICOM file '.*film\.dcm': .*", str(error.value))


def test_lateral_by_its_code(shown):
    code = pydicom.Dataset()
    code.CodeMeaning = "left lateral"
    with pytest.raises(InputError, match="its view is LATERAL; give a frontal one"):
        shown(film(EIGHT, ViewPosition="", ViewCodeSequence=Sequence([code])))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (look_up_table(0, [0, 300], 8), "keep to its 8 bits"),
        (look_up_table(0, [0, 1], 17), "keep to its 17 bits"),
    ],
)
def test_broken_look_up_tables(shown, table, message):
    with pytest.raises(InputError, match=message):
        shown(film(EIGHT, VOILUTSequence=Sequence([table])))
    table.add_new("LUTDescriptor", "US", [9, 0, 8])
    with pytest.raises(InputError, match="2 of its 9 entries"):
        shown(film(EIGHT, VOILUTSequence=Sequence([table])))


def test_files_without_pixels(shown):
    dataset = film(EIGHT)
    del dataset.PixelData
    with pytest.raises(InputError, match="no integer pixels"):
        shown(dataset)


@pytest.mark.parametrize("modality", ["OT", ""])
def test_digitised_films_are_read_with_a_warning(shown, caplog, modality):
    dataset = film(EIGHT, Modality=modality, SOPClassUID=SecondaryCaptureImageStorage)
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(shown(dataset), EIGHT)
    assert f"film.dcm' has modality '{modality}' and is taken for" in caplog.text
    caplog.clear()
    shown(film(EIGHT, Modality="CR"))
    assert caplog.text == ""


@pytest.mark.parametrize(("part", "warned"), [("CSPINE", True), ("CHEST", False), ("", False)])
def test_another_part_of_the_body_is_read_with_a_warning(shown, caplog, part, warned):
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(shown(film(EIGHT, BodyPartExamined=part)), EIGHT)
    assert ("film.dcm' says that it shows another part of the body" in caplog.text) == warned


def test_every_truncation_is_an_input_error(tmp_path):
    content = (save(film(TWELVE, 12), tmp_path / "whole.dcm")).read_bytes()
    path = tmp_path / "cut.dcm"
    for size in range(0, len(content) - 1, 5):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"cut\.dcm") as error:
            read_image(path)
        assert "\n" not in str(error.value)


def outcome(path):
    try:
        read_image(path)
    except InputError as error:
        return str(error)
    return ""


def test_damaged_bytes_are_read_or_an_input_error(tmp_path, caplog):
    content = bytearray(save(film(TWELVE, 12), tmp_path / "whole.dcm").read_bytes())
    path = tmp_path / "damaged.dcm"
    messages = []
    for _ in range(300):
        damaged = bytearray(content)
        for place in RNG.integers(132, len(content) - TWELVE.nbytes, 3):
            damaged[place] = RNG.integers(256)
        path.write_bytes(damaged)
        messages.append(outcome(path))
    assert len(set(messages)) > 5
    assert "Secret" not in " ".join(messages) + caplog.text


def test_values_that_are_not_what_they_should_be_are_not_quoted(tmp_path, caplog):
    path = save(film(EIGHT), tmp_path / "film.dcm")
    path.write_bytes(path.read_bytes().replace(b"CS\x02\0DX", b"CS\x02\0D^"))
    with pytest.raises(InputError, match=r"its Modality is not a code$"):
        read_image(path)
    assert caplog.text == ""


def test_the_name_of_a_patient_is_never_read(tmp_path, monkeypatch, caplog):
    seen = []
    original = pydicom.dcmread

    def dcmread(*arguments, **options):
        seen.append(original(*arguments, **options))
        return seen[-1]

    monkeypatch.setattr(pydicom, "dcmread", dcmread)
    path = save(film(EIGHT, Modality="OT"), tmp_path / "film.dcm")
    assert PATIENT.encode() in path.read_bytes()
    with caplog.at_level(logging.DEBUG):
        read_image(path)
    assert "Secret" not in str(seen[0]) + caplog.text
    assert "PatientID" not in seen[0]


def test_the_content_tells_and_a_name_that_lies_is_refused(tmp_path):
    path = save(film(EIGHT), tmp_path / "film.png")
    assert np.array_equal(np.asarray(read_image(path)[0]), EIGHT)
    path = tmp_path / "picture.dcm"
    Image.fromarray(EIGHT).save(path, "PNG")
    with pytest.raises(InputError, match=r"picture\.dcm' is not a DICOM file: it lacks"):
        read_image(path)


def test_without_pydicom_the_message_says_what_to_install(tmp_path, monkeypatch):
    path = save(film(EIGHT), tmp_path / "film.dcm")
    original = builtins.__import__

    def absent(name, *rest):
        if name.startswith("pydicom"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r"needs pydicom: pip install 'chexnet_trt\[dicom\]'"):
        read_image(path)


def test_without_a_codec_the_message_says_what_to_install(shown, monkeypatch):
    from pydicom.pixels.decoders.base import Decoder

    dataset = film(TWELVE, 12)
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    monkeypatch.setattr(Decoder, "is_available", property(lambda _: False))
    with pytest.raises(InputError, match=r"no codec for JPEG Lossless.*'chexnet_trt\[dicom\]'"):
        shown(dataset)


def test_a_film_scores_like_its_png(tmp_path, small_engine, capsys):
    """The same film as PNG, as 8 bits with black high, and as 12 of 16 signed bits windowed."""
    pixels = synthetic_xray(3, 40)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    save(film(255 - pixels, PhotometricInterpretation="MONOCHROME1"), tmp_path / "b.dcm")
    deep = pixels.astype(np.int16) * 5 - 700
    window = {"WindowCenter": "0", "WindowWidth": "1275", "VOILUTFunction": "LINEAR_EXACT"}
    rescale = {"RescaleSlope": "1", "RescaleIntercept": "62.5"}
    save(film(deep, 12, **window, **rescale), tmp_path / "c.dcm")
    assert main(["infer", str(small_engine), str(tmp_path), "--json"]) == 0
    png, *films = (image["scores"] for image in json.loads(capsys.readouterr().out)["images"])
    assert len(films) == 2
    for scores in films:
        assert scores == pytest.approx(png, abs=2e-3)
