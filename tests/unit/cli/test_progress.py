from harness.cli.progress import reporter


def test_plain_lines_go_to_stderr_and_counting_lines_are_thinned(capsys):
    with reporter(quiet=False) as progress:
        for done in range(50):
            progress(f"lightgbm: {done}/50 trees")
        progress("compress.0 truncate")
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 2
    assert "0/50 trees" in lines[0]
    assert lines[1].endswith("s  compress.0 truncate")


def test_quiet_says_nothing(capsys):
    with reporter(quiet=True) as progress:
        progress("anything")
    assert capsys.readouterr().err == ""
