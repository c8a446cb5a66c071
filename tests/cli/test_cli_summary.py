from pathlib import Path
from xml.etree import ElementTree

import pytest


def test_the_net_of_the_paper(run):
    result = run("summary", "unet-2015", "--input", "572x572")
    assert result.code == 0
    assert result.out[-1] == "572x572x1 -> 388x388x2"
    assert "31,030,658 parameters" in result.out[-2]
    sizes = [line.split()[-4] for line in result.out if " conv " in line]
    assert len(sizes) == 18


@pytest.mark.parametrize(
    ("net", "last"),
    [("unet-2015", "524x524x1 -> 340x340x2"), ("fcn-8s", "512x512x1 -> 512x512x2")],
)
def test_without_a_size_one_is_taken_that_goes_through(run, net, last):
    result = run("summary", net)
    assert (result.code, result.err, result.out[-1]) == (0, [], last)


def test_none_is_the_usual_net_as_in_training(run):
    result = run("summary", "none", "--input", 64)
    assert result.code == 0, result.err
    assert result.out == run("summary", "unet", "--input", 64).out


def test_an_fcn_keeps_the_size(run):
    result = run("summary", "fcn-8s", "--input", "500x333", "--classes", "4")
    assert result.out[-1] == "500x333x1 -> 500x333x4"


def test_a_model_has_its_own_channels_and_classes(run, model):
    result = run("summary", model, "--input", "64")
    assert result.code == 0, result.err
    assert result.out[-1].startswith("64x64x1 -> 64x64x2")


def test_what_does_not_fit_is_shown_where_it_breaks(run):
    result = run("summary", "unet-2015", "--input", "571x572")
    assert result.code == 2
    assert result.out[-1].startswith("down.0.3")
    said = " ".join(result.err)
    assert "cannot be halved evenly" in said
    assert said.endswith("are 556 or 572 for 571.")
    square = run("summary", "unet-2015", "--input", "571x571")
    assert " ".join(square.err).endswith("are 556 or 572 for 571.")


def test_a_drawing_is_a_picture(run, tmp_path):
    path = tmp_path / "net.svg"
    assert run("summary", "unet", "--input", "100x100", "--svg", path).code == 0
    root = ElementTree.parse(path).getroot()
    ns = {"svg": "http://www.w3.org/2000/svg"}
    titles = [t.text for t in root.findall(".//svg:title", ns)]
    assert any(t.startswith("up.3.3 112x112x16: 16 filters") for t in titles)
    width, height = float(root.get("width")), float(root.get("height"))
    for text in root.findall(".//svg:text", ns):
        assert (
            0 <= float(text.get("x")) <= width and 0 <= float(text.get("y")) <= height
        )


def test_half_a_drawing_does_not_stay(run, tmp_path, monkeypatch):
    path = tmp_path / "net.svg"
    path.write_text("an older one")

    def half(self, text, **_):
        self.write_bytes(text[:9].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    result = run("summary", "unet", "--svg", path)
    assert result.code == 2
    assert "No space left" in result.err[0]
    assert [p.name for p in tmp_path.iterdir()] == ["net.svg"]
    assert path.read_text() == "an older one"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["unet", "--input", "0x3"], "no size of an image"),
        (["unet", "--input", "big"], "no size of an image"),
        (["gan"], "no model 'gan'"),
        (["unet", "--svg", "nowhere/net.svg"], "cannot be written"),
    ],
)
def test_bad_input_is_said(run, arguments, said):
    result = run("summary", *arguments)
    assert result.code == 2
    assert said in " ".join(result.err)
