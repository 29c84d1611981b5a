from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from chexnet_trt import images
from chexnet_trt._core import InputError
from chexnet_trt.images import EncodedImage, read_image


def gradient(width=40, height=30, dtype=np.uint8):
    top = np.iinfo(dtype).max
    return np.linspace(0, top, width * height).reshape(height, width).astype(dtype)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def values(planes):
    return [np.asarray(plane, np.float32) for plane in planes]


def test_gray_and_rgb_keep_their_pixels(tmp_path):
    gray = gradient()
    (plane,) = values(read_image(save(tmp_path / "gray.png", gray)))
    assert np.array_equal(plane, gray)
    color = np.stack([gray, gray[::-1], gray.T.reshape(gray.shape)], axis=-1)
    planes = values(read_image(save(tmp_path / "color.png", color)))
    assert np.array_equal(np.stack(planes, -1), color)


def test_alpha_is_dropped_and_colour_kept(tmp_path):
    color = np.full((4, 5, 4), 200, np.uint8)
    color[..., 3] = 10
    planes = values(read_image(save(tmp_path / "rgba.png", color)))
    assert len(planes) == 3
    assert all((plane == 200).all() for plane in planes)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    pixels = gradient(dtype=np.uint16)
    (plane,) = values(read_image(save(tmp_path / "deep.png", pixels)))
    assert np.allclose(plane, pixels / 257, atol=1e-3)
    assert plane.max() == 255


def test_sixteen_bit_pgm_is_big_endian(tmp_path):
    pixels = gradient(dtype=np.uint16)
    path = tmp_path / "deep.pgm"
    path.write_bytes(b"P5 40 30 65535\n" + pixels.astype(">u2").tobytes())
    (plane,) = values(read_image(path))
    assert np.allclose(plane, pixels / 257, atol=1e-3)


def test_pgm_with_comments(tmp_path):
    path = tmp_path / "digit.pgm"
    path.write_bytes(
        b"P5\n# made by hand\n3 2\n# and another\n255\n" + bytes([0, 50, 100, 150, 200, 255])
    )
    (plane,) = values(read_image(path))
    assert plane.tolist() == [[0, 50, 100], [150, 200, 255]]


@pytest.mark.models
def test_real_digits(models_dir):
    (plane,) = values(read_image(models_dir / "allarobot-lenet5" / "3.pgm"))
    assert plane.shape == (28, 28)
    assert plane.max() > 200


def test_every_truncation_is_an_input_error(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(gradient()).save(stream, "PNG")
    content = stream.getvalue()
    path = tmp_path / "cut.png"
    for size in range(0, len(content) - 16, 7):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"cut\.png") as error:
            read_image(path)
        assert "\n" not in str(error.value)


def test_truncated_jpeg(tmp_path):
    path = save(tmp_path / "whole.jpg", gradient(200, 200))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cannot read the image '.*whole\.jpg': .*truncated"):
        read_image(path)


def test_a_file_that_is_no_image(tmp_path):
    path = tmp_path / "file.png"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(InputError, match=r"file\.png' is not an image that can be read"):
        read_image(path)


def test_encoded_images_are_read_like_files_and_named(tmp_path):
    content = save(tmp_path / "gray.png", gradient()).read_bytes()
    (plane,) = values(read_image(EncodedImage("records[3]", lambda: content)))
    assert np.array_equal(plane, gradient())
    with pytest.raises(InputError, match=r"cannot read the image 'records\[3\]'"):
        read_image(EncodedImage("records[3]", lambda: content[: len(content) // 2]))


def test_threads_leave_the_warning_filters_as_they_were(tmp_path):
    path = save(tmp_path / "gray.png", gradient())
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(read_image, [path] * 400))) == 400
    assert warnings.filters == before


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(InputError, match="directory"):
        read_image(tmp_path)


def test_several_frames_are_refused(tmp_path):
    frames = [Image.fromarray(gradient()), Image.fromarray(gradient()[::-1])]
    path = tmp_path / "film.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"film\.gif' has 2 frames"):
        read_image(path)


def test_thirty_two_bits_have_no_range(tmp_path):
    path = save(tmp_path / "float.tif", np.ones((4, 4), np.float32))
    with pytest.raises(InputError, match="32-bit pixels"):
        read_image(path)


def test_decompression_bomb(tmp_path, monkeypatch):
    path = save(tmp_path / "bomb.png", gradient(100, 100))
    monkeypatch.setattr(images, "MAX_PIXELS", 9999)
    with pytest.raises(InputError, match=r"bomb\.png' has more than"):
        read_image(path)
    for limit in (9999, 100):  # Pillow's warning, and its error at twice its limit.
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(InputError, match=r"bomb\.png' has more than"):
            read_image(path)


def test_arrays():
    gray = gradient()
    assert np.array_equal(values(read_image(gray[:, :, None]))[0], gray)
    assert np.allclose(values(read_image(gradient(dtype=np.uint16)))[0].max(), 255)
    with pytest.raises(InputError, match=r"\[H, W, 3\], not \(2, 2, 2\)"):
        read_image(np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(InputError, match="not float32"):
        read_image(np.zeros((2, 2), np.float32))
