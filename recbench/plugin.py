"""A class by the path "module:Class" or "file:Class": how files of one's own come in."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType

from recbench.errors import InputError

OWN = "own"  # the first part of the name of a module of one's own


def load_class(path: str, spec: str) -> type:
    """The class at "module:Class" or "file:Class"; `spec` is what the user wrote.

    Raises:
        InputError: there is no such file or class, or the file cannot be run; says which line.
    """
    module_name, _, class_name = path.partition(":")
    module = _import(module_name, spec)
    cls = getattr(module, class_name, None)
    if not inspect.isclass(cls):
        classes = [name for name, value in vars(module).items() if inspect.isclass(value)]
        raise InputError(
            f"'{spec}': {module_name} has no class '{class_name}', only {', '.join(classes)}"
        )
    return cls


def absolute(spec: str) -> str:
    """ "file:Class" by the whole path of the file, if there is such a file; else `spec`."""
    name, _, class_name = spec.rpartition(":")
    file = _file(name)
    return f"{file}:{class_name}" if name and file.is_file() else spec


def line_of(error: BaseException, file: str | None) -> str:
    """ "my_file.py, line 12: ValueError: no" of an error that came through the file; without
    the place, if it did not, or a file is not given."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{Path(error.filename or '').name}, line {error.lineno}: SyntaxError: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {text}" if frames else text


def _import(module_name: str, spec: str) -> ModuleType:
    path = _file(module_name)
    if not path.is_file():
        try:
            return importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # a module may fail in any way
            wanted = module_name.split(".", maxsplit=1)[0]
            no_such_name = isinstance(error, ModuleNotFoundError) and error.name == wanted
            if no_such_name or not all(map(str.isidentifier, module_name.split("."))):
                raise InputError(f"'{spec}': there is no file {path.name} here") from None
            raise InputError(f"'{spec}' cannot be loaded. {line_of(error, None)}") from None
    # under a name of its own: a file called json.py or ratings.py replaces no other module
    name = f"{OWN}.{'.'.join(path.with_suffix('').parts[1:])}"
    if name in sys.modules:
        return sys.modules[name]
    file_spec = importlib.util.spec_from_file_location(name, path)
    assert file_spec is not None
    assert file_spec.loader is not None
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[name] = module  # classes defined in it can then be pickled
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # for files that it imports from beside it
    try:
        file_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a file of one's own may fail in any way
        del sys.modules[name]
        raise InputError(f"'{spec}' cannot be loaded. {line_of(error, str(path))}") from None
    return module


def _file(module_name: str) -> Path:
    return Path(module_name if module_name.endswith(".py") else f"{module_name}.py").resolve()
