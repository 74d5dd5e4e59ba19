"""Agents and populations come back as they were; other files are refused."""

import io
import json

import numpy as np
import pytest

import weightless as ao
from weightless import storage
from weightless.arch import DOMINANT


def taught_agent(**options) -> ao.Agent:
    rng = np.random.default_rng(0)
    arch = ao.Arch([5, 2], [3], [1], **options)
    agent = ao.Agent(arch, notes="a note", seed=2**63 + 5)
    agent.next_state_batch(rng.integers(0, 2, (20, 7)), rng.integers(0, 2, (20, 3)))
    agent.reset_state()
    return agent


def own_connector(arch: ao.Arch, neuron: int) -> tuple[list[int], list[int]]:
    return (arch.I__flat[1:] if arch.is_q(neuron) else arch.Q__flat[::2]), []


@pytest.mark.parametrize("connector", ["full_conn", "rand_conn", own_connector])
def test_an_agent_goes_on_where_it_was(tmp_path, connector):
    agent = taught_agent(connector_function=connector, connector_parameters=(3, 2, 3, 1), seed=9)
    agent.save(tmp_path / "an.agent")
    loaded = ao.Agent.load(tmp_path / "an.agent")
    assert (loaded.notes, loaded.seed, loaded.state) == ("a note", 2**63 + 5, 22)
    for one in (agent, loaded):
        one.next_state([1, 0, 1, 0, 1, 1, 0], [1, 0, 1])
        one.next_state_batch(np.eye(7), unsequenced=True)
        one.next_state_batch(np.eye(7))
    assert (agent.story == loaded.story).all()
    assert (agent.metastory == loaded.metastory).all()
    assert [path.name for path in tmp_path.iterdir()] == ["an.agent"]


def test_rules_of_instincts_are_not_saved_and_are_asked_for(tmp_path):
    agent = taught_agent()
    agent.arch.set_instinct(agent.arch.C[1][0], lambda senses, agent: True)
    agent.save(tmp_path / "a")
    with np.load(tmp_path / "a", allow_pickle=False) as file:  # numbers and JSON, no code
        assert all(file[name].dtype.kind == "u" for name in file.files)
        assert json.loads(file["header"].tobytes())["kind"] == "agent"
    loaded = ao.Agent.load(tmp_path / "a")
    assert loaded.arch.datamatrix[DOMINANT, loaded.arch.C[1][0]] is None
    with pytest.raises(ValueError, match="has no rule"):
        loaded.next_state([0] * 7, INSTINCTS=True)


def test_a_population_goes_on_where_it_was(tmp_path):
    rng = np.random.default_rng(1)
    who, x, y = rng.integers(0, 4, 90), rng.integers(0, 2, (90, 7)), rng.integers(0, 2, (90, 3))
    population = ao.Population(ao.Arch([5, 2], [3]), 5, seed=8)
    for start in range(0, 90, 10):
        part = slice(start, start + 10)
        population.learn(who[part], x[part], y[part])
    population.save(tmp_path / "p")
    loaded = ao.Population.load(tmp_path / "p")
    assert (loaded.recall(who, x) == population.recall(who, x)).all()
    for one in (population, loaded):
        one.learn(who, x, y)
    assert (loaded.recall(who, x) == population.recall(who, x)).all()
    assert (loaded.counts == population.counts).all()


def test_other_files_and_later_versions_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with pytest.raises(FileNotFoundError):
        ao.Agent.load(path)
    code = io.BytesIO()  # an array of objects is a pickle, which can hold code
    np.savez(code, header=np.array([{"format": "weightless"}], dtype=object))
    other = io.BytesIO()
    np.savez(other, a=np.arange(3))
    for content in (b"", b"userId,movieId\n1,2\n", other.getvalue(), code.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged, or no weightless file"):
            ao.Agent.load(path)
    ao.Population(ao.Arch([2], [1]), 1).save(path)
    with pytest.raises(ValueError, match="holds population data"):
        ao.Agent.load(path)
    monkeypatch.setattr(storage, "VERSION", 99)
    taught_agent().save(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="of version 99; this engine reads version 1"):
        ao.Agent.load(path)


def test_every_truncation_and_every_turned_byte_is_refused_or_harmless(tmp_path):
    agent = taught_agent()
    agent.save(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    expected = agent.next_state_batch(np.eye(7), unsequenced=True)
    refused = 0
    for cut in range(0, len(whole), 397):
        (tmp_path / "cut").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="cut is damaged, or no weightless file"):
            ao.Agent.load(tmp_path / "cut")
    for at in range(0, len(whole), 53):
        (tmp_path / "b").write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
        try:
            loaded = ao.Agent.load(tmp_path / "b")
        except ValueError:
            refused += 1
        else:  # a byte that says nothing, such as a time stamp
            assert (loaded.next_state_batch(np.eye(7), unsequenced=True) == expected).all()
    assert refused > len(whole) / 53 / 2


def test_parts_that_do_not_fit_are_refused(tmp_path):
    agent = taught_agent()
    header = {"arch": storage.describe(agent.arch), "notes": "", "seed": 0}
    storage.write(tmp_path / "a", "agent", header, {"story": agent.story})
    with pytest.raises(ValueError, match="does not hold a whole agent"):
        ao.Agent.load(tmp_path / "a")
    population = ao.Population(agent.arch, 2)
    population.learn([0], np.zeros((1, 7)), np.zeros((1, 3)))
    header = {"arch": storage.describe(agent.arch), "n_agents": 2, "seed": 0}
    none = np.zeros((1, 0), np.uint64)
    arrays = {"counts": population.counts, "inputs": none, "labels": none}
    storage.write(tmp_path / "p", "population", header, arrays)
    with pytest.raises(ValueError, match="does not hold a whole population"):
        ao.Population.load(tmp_path / "p")
