"""Energy as Linux tells it."""

from recbench.continual.energy import joules


def test_packages_are_summed_and_their_parts_are_not(tmp_path):
    counters = {"intel-rapl:0": 2_500_000, "intel-rapl:1": 1_000_000, "intel-rapl:0:0": 700_000}
    for name, microjoules in counters.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{microjoules}\n")
    assert joules(tmp_path) == 3.5


def test_a_machine_that_does_not_tell(tmp_path):
    assert joules(tmp_path / "none") is None
    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("")
    assert joules(tmp_path) is None
