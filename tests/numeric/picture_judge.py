"""Pillow (libjpeg, libpng) as the judge of the reader of pictures: writes JPEG, PNG and PPM files
of many kinds, and what it reads in them.

    picture_judge.py FOLDER

FOLDER/answers.json lists files with channels, height, width, and whether their form keeps values
exactly; FOLDER/answers.bin holds the values as bytes, channel after channel. Photographs of
python3-skimage are added where that is installed.
"""
import json
import os
import sys

import numpy
from PIL import Image

PHOTOGRAPHS = "/usr/lib/python3/dist-packages/skimage/data"

random = numpy.random.default_rng(1)


def scene(height, width, channels):
    """Smooth light with edges and a little noise, as photographs have."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        a, b, c = random.uniform(0.05, 0.3, 3)
        light = 128 + 60 * numpy.sin(a * x + b * y) + 40 * numpy.cos(c * (x - y))
        light[height // 3:, : width // 2] *= random.uniform(0.5, 1)
        planes.append(light + random.normal(0, 2, light.shape))
    return numpy.stack(planes, -1).clip(0, 255).astype(numpy.uint8)


def pictures():
    """Names, pictures, and how to save them."""
    sizes = [(32, 32), (37, 53), (8, 129), (1, 1), (64, 9)]
    for k, (height, width) in enumerate(sizes):
        colours = Image.fromarray(scene(height, width, 3))
        grey = Image.fromarray(scene(height, width, 1)[:, :, 0])
        for quality in (60, 95):
            for subsampling in (0, 1, 2):
                name = f"{k}-q{quality}-s{subsampling}"
                how = {"quality": quality, "subsampling": subsampling}
                yield name + ".jpg", colours, how
                yield name + "-p.jpeg", colours, {"progressive": True, **how}
            yield f"{k}-q{quality}-grey.jpg", grey, {"quality": quality}
        yield f"{k}-restart.JPG", colours, {"quality": 90, "optimize": True}
        alpha = Image.fromarray(scene(height, width, 1)[:, :, 0])
        yield f"{k}.png", colours, {}
        yield f"{k}-alpha.png", Image.merge("RGBA", (*colours.split(), alpha)), {}
        yield f"{k}-grey.png", grey, {"compress_level": 0}
        yield f"{k}-grey-alpha.png", Image.merge("LA", (grey, alpha)), {}
        yield f"{k}-palette.png", colours.quantize(13), {}
        yield f"{k}-bits.png", grey.convert("1"), {}
        yield f"{k}.ppm", colours, {}
        yield f"{k}.pgm", grey, {}


def main(folder):
    answers = []
    with open(f"{folder}/answers.bin", "wb") as values:
        def add(name):
            with Image.open(f"{folder}/{name}") as image:
                decoded = numpy.asarray(image.convert("RGB"))
            values.write(numpy.ascontiguousarray(decoded.transpose(2, 0, 1)).tobytes())
            exact = not name.lower().endswith(("jpg", "jpeg"))
            answers.append({"file": name, "height": decoded.shape[0], "width": decoded.shape[1],
                            "exact": exact})

        for name, image, how in pictures():
            image.save(f"{folder}/{name}", **how)
            add(name)
        for name in ("retina.jpg", "rocket.jpg", "ihc.png", "cell.png"):
            if os.path.exists(f"{PHOTOGRAPHS}/{name}"):
                os.symlink(f"{PHOTOGRAPHS}/{name}", f"{folder}/{name}")
                add(name)
    with open(f"{folder}/answers.json", "w", encoding="utf-8") as file:
        json.dump(answers, file)


main(sys.argv[1])
