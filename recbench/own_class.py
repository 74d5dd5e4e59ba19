"""A class by the path "module:Class" or "file:Class": how files of one's own come in."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from recbench.errors import InputError


def load_class(path: str, spec: str) -> type:
    """The class at "module:Class" or "file:Class"; `spec` is what the user wrote.

    Raises:
        InputError: there is no such file or class.
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


def _import(module_name: str, spec: str) -> ModuleType:
    path = Path(module_name if module_name.endswith(".py") else f"{module_name}.py")
    if not path.exists():
        try:
            return importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name != module_name.split(".", maxsplit=1)[0]:
                raise
            raise InputError(f"'{spec}': there is no file {path} here") from None
    file_spec = importlib.util.spec_from_file_location(path.stem, path)
    assert file_spec is not None
    assert file_spec.loader is not None
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[path.stem] = module  # classes defined in it can then be pickled
    file_spec.loader.exec_module(module)
    return module
