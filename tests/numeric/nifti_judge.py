"""nibabel as the judge of the reader of volumes: writes files of every kind of number, in both byte
orders, both versions of the format, scaled and not, plain and gzipped, and what it reads in them.

    nifti_judge.py FOLDER

FOLDER/answers.json lists files with their shape; FOLDER/answers.bin holds their values, file after
file, as float64, the first axis fastest.
"""
import json
import sys

import nibabel
import numpy

TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
SHAPES = [(3, 4, 5), (6, 2, 1), (1, 1, 7), (4, 3, 2, 1), (5, 3)]
SCALES = [(None, None), (2.0, 0.0), (0.5, -3.0), (-1.25, 10.0)]

random = numpy.random.default_rng(1)


def draw(kind, shape):
    if kind[0] == "f":
        return random.normal(0, 1000, shape).astype(kind)
    limits = numpy.iinfo(kind)
    least, most = max(limits.min, -(2**40)), min(limits.max, 2**40)
    return random.integers(least, most, shape, endpoint=True).astype(kind)


def volume(form, order, kind, shape, scale):
    image_class, header_class = form
    header = header_class(endianness=order)
    header.set_data_dtype(numpy.dtype(kind).newbyteorder(order))
    header.set_data_shape(shape)
    image = image_class(draw(kind, shape), numpy.diag([1.5, 2, 2.5, 1]), header)
    image.header.set_slope_inter(*scale)
    if random.integers(2):
        note = nibabel.nifti1.Nifti1Extension("comment", b"words between header and values")
        image.header.extensions.append(note)
    return image


def main(folder):
    forms = [(nibabel.Nifti1Image, nibabel.Nifti1Header),
             (nibabel.Nifti2Image, nibabel.Nifti2Header)]
    answers = []
    with open(f"{folder}/answers.bin", "wb") as values:
        for kind in TYPES:
            for version, form in enumerate(forms, 1):
                for order in "<>":
                    shape = SHAPES[len(answers) % len(SHAPES)]
                    scale = SCALES[len(answers) // 2 % len(SCALES)]
                    end = ["nii", "nii.gz"][len(answers) // 3 % 2]
                    side = "little" if order == "<" else "big"
                    name = f"{kind}-{version}-{side}-{len(answers)}.{end}"
                    volume(form, order, kind, shape, scale).to_filename(f"{folder}/{name}")
                    read = nibabel.load(f"{folder}/{name}")
                    assert read.header.endianness == order and read.get_data_dtype().kind == kind[0]
                    data = read.get_fdata(dtype=numpy.float64)
                    values.write(data.tobytes(order="F"))
                    answers.append({"file": name, "shape": data.shape})
    with open(f"{folder}/answers.json", "w", encoding="utf-8") as file:
        json.dump(answers, file)


main(sys.argv[1])
