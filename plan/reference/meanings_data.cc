// The section data_loader.
#include "plan/reference/meanings.h"

namespace fx {

namespace {

constexpr Meaning kMeanings[] = {
    {"data_loader.template", "the loader"},
    {"data_loader.template=IdxDataLoader",
     "images and labels in the format of MNIST (IDX, plain or gzip): a folder with "
     "`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-...`, "
     "`t10k-labels-...`"},
    {"data_loader.template=CsvDataLoader",
     "a table with a header: a file, or a folder with `train.csv` and `validation.csv`"},
    {"data_loader.template=NpzDataLoader",
     "arrays of numpy: an `.npz` file with `x_train`, `y_train`, `x_test`, `y_test`, or a "
     "folder with those as `.npy`"},
    {"data_loader.template=ImageFolderDataLoader",
     "PNG, JPEG, PPM and PGM (binary, 8 bits): a folder with a folder for each class, or with "
     "`images` and `masks`; or with such folders as `train` and `validation` in it"},
    {"data_loader.template=TextDataLoader",
     "text, to predict the next character: a file, or a folder of `.txt` files; or with such "
     "folders as `train` and `validation` in it. A sample is `sequence_length` characters as "
     "numbers, its target the characters that follow each"},
    {"data_loader.template=NiftiDataLoader",
     "volumes (`.nii`, `.nii.gz`) as slices: a folder of volumes, with `labels` in it where they "
     "are files; or with such folders as `train` and `validation` in it. A sample is a slice "
     "[1, height, width], its target 1 where the label is"},

    {"data_loader.settings.dataset",
     "file or folder of the data set that is cut into shards, anywhere on a site's machine; "
     "needed if `data.yaml` has a shard number",
     "none"},
    {"data_loader.settings.batch_size", "samples a training step"},
    {"data_loader.settings.collaborator_count", "number of shards the data set is cut into"},
    {"data_loader.settings.split",
     "how it is cut; training and validation data alike. Each sample is some site's, and one "
     "site's only unless said otherwise"},
    {"data_loader.settings.split.type", "how the data set is cut"},
    {"data_loader.settings.split.type=round_robin",
     "sample i goes to site i modulo the number of sites"},
    {"data_loader.settings.split.type=contiguous", "blocks, as the data lie"},
    {"data_loader.settings.split.type=random", "a random permutation, in blocks"},
    {"data_loader.settings.split.type=dirichlet",
     "label skew: a site's shares of labels are drawn from a Dirichlet distribution (Hsu et al. "
     "2019)"},
    {"data_loader.settings.split.type=pathological",
     "sorted by label and cut into shards, which are dealt to the sites (McMahan et al. 2017)"},
    {"data_loader.settings.split.type=overlapping",
     "a share of the samples is every site's; the rest is dealt out at random"},
    {"data_loader.settings.split.alpha",
     "the distribution's parameter: the smaller, the fewer labels a site has"},
    {"data_loader.settings.split.shards_per_site", "shards dealt to each site"},
    {"data_loader.settings.split.share", "of the samples, which every site has"},
    {"data_loader.settings.split.seed", "of these draws, and of those for `validation_share`"},

    {"data_loader.settings.mean",
     "subtracted from each pixel, after it is divided by 255 (NpzDataLoader: bytes only, other "
     "numbers are taken as they are)"},
    {"data_loader.settings.mean", "subtracted from each value", {}, "NiftiDataLoader"},
    {"data_loader.settings.std", "divides each pixel after that"},
    {"data_loader.settings.std", "divides each value after that", {}, "NiftiDataLoader"},
    {"data_loader.settings.augment",
     "what is drawn anew for each image each time it is trained on; masks move with their images",
     "none"},
    {"data_loader.settings.augment.flip", "mirror images, each way with probability 1/2"},
    {"data_loader.settings.augment.crop_padding",
     "pixels an image is shifted by at most, in each direction; what comes in is 0 after "
     "normalisation"},
    {"data_loader.settings.augment.rotate",
     "degrees an image is turned by at most, to either side"},
    {"data_loader.settings.validation_share",
     "held out, drawn with the seed of `split` before anything is dealt out, where the data have "
     "no part for validation"},

    {"data_loader.settings.label", "the column with what is to be predicted", {}, "CsvDataLoader"},
    {"data_loader.settings.label",
     "the foreground: where the volume itself is not 0, or where the volume of the same name in "
     "`labels` is not 0",
     {},
     "NiftiDataLoader"},
    {"data_loader.settings.task", "the target: a class; 0 or 1; a number", {}, "CsvDataLoader"},
    {"data_loader.settings.task",
     "the target: the class whose folder an image is in; or the image of the same name in "
     "`masks`, 1 where that is not black",
     {},
     "ImageFolderDataLoader"},
    {"data_loader.settings.classes",
     "the label's words, from class 0; without it labels are whole numbers from 0", "none",
     "CsvDataLoader"},
    {"data_loader.settings.classes",
     "folder names, from class 0; not with `task: segmentation`",
     {},
     "ImageFolderDataLoader"},
    {"data_loader.settings.features",
     "columns that are the network's inputs, in this order; without it sorted by name, so that "
     "the order of columns in a file does not matter",
     "all others"},
    {"data_loader.settings.categorical", "columns of words", "none"},
    {"data_loader.settings.categorical.COLUMN",
     "its words: `sex: [female, male]` becomes two inputs of which one is 1",
     "a column of "
     "numbers"},
    {"data_loader.settings.normalise", "columns that become (x - mean) / std, at every site",
     "none"},
    {"data_loader.settings.normalise.COLUMN", "`age: {mean: 52, std: 11}`", "as it is"},
    {"data_loader.settings.normalise.COLUMN.mean", "subtracted from each number of the column"},
    {"data_loader.settings.normalise.COLUMN.std", "divides it after that"},
    {"data_loader.settings.standardise",
     "`site`: all other columns by mean and deviation of the site's own training rows, which no "
     "one else learns, but which make the same value a different input at different sites",
     {},
     "CsvDataLoader"},
    {"data_loader.settings.standardise",
     "`volume`: each by its own mean and deviation instead of `mean` and `std`",
     {},
     "NiftiDataLoader"},
    {"data_loader.settings.missing",
     "a cell that is empty, `NA`, `NaN`, `null` or `?`: an error; the mean that its column is "
     "normalised with, which is 0 afterwards; or the value 0. A missing word is 0 in all its "
     "inputs. A missing label is always an error"},
    {"data_loader.settings.separator", "between cells"},
    {"data_loader.settings.channels", "1: grey, 3: red, green and blue; 2 is refused"},
    {"data_loader.settings.resize",
     "what images are scaled to (bilinear; masks: nearest pixel); without it all must be of one "
     "size",
     "none"},
    {"data_loader.settings.sequence_length", "characters a sample"},
    {"data_loader.settings.alphabet",
     "up to 255 characters: the first is number 1, and so on; all others are 0",
     "line feed, printable ASCII"},
    {"data_loader.settings.split_by", "what goes to one site as a whole"},
    {"data_loader.settings.axis", "slices are cut across it"},
    {"data_loader.settings.size", "slices are cropped or padded to it, around their middle",
     "as they are"},
    {"data_loader.settings.skip_empty", "leave out slices that are 0 throughout"},
};

}  // namespace

std::span<const Meaning> DataMeanings() {
  return kMeanings;
}

}  // namespace fx
