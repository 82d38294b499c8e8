"""A released model does not tell the folders of who made it."""

from convert.manifest import _without_folders


def test_folders_are_taken_off_paths_in_whichever_way_a_command_line_names_them() -> None:
    line = [
        "plasmolite",
        "train",
        "--data=/home/amina/cells",
        "--out",
        "/home/amina/runs/a",
        "--seed=3",
        "a/b",
    ]
    assert _without_folders({"command": line}) == {
        "command": ["plasmolite", "train", "--data=cells", "--out", "a", "--seed=3", "a/b"]
    }
