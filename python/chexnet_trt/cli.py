"""`python -m chexnet_trt COMMAND`: runs one command and maps errors to exit statuses."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

# One module of chexnet_trt.commands each, a hyphen being an underscore in its name, with HELP,
# EXAMPLE, add_arguments(parser), run(args).
COMMANDS = (
    "sample-data",
    "prepare",
    "train",
    "export",
    "freeze",
    "convert",
    "calibrate",
    "build",
    "trtexec",
    "infer",
    "evaluate",
    "integrate",
    "compare",
    "report",
    "inspect",
    "self-test",
    "doctor",
)

EPILOG = """\
exit status: 0 success, 1 a failed run or gate, 2 bad usage or bad input

example:
  python -m chexnet_trt freeze --random-weights --network resnet50_v2 -o chexnet.pb
  python -m chexnet_trt convert chexnet.pb -O chexnet_sigmoid_tensor
  python -m chexnet_trt build chexnet.uff --uffInput input_tensor,3,256,256 -o chexnet.engine
  python -m chexnet_trt trtexec --loadEngine=chexnet.engine
"""


class _Parser(argparse.ArgumentParser):
    """Reports bad usage in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments and arguments[0] in COMMANDS else None
    parser = _parser(name)
    from chexnet_trt._core import BackendError, InputError

    for argument in arguments:
        if not _is_text(argument):
            return _fail(name, f"{argument!a} is not UTF-8; rename the file", 2)
    try:
        args = parser.parse_args(arguments)
        status: int = args.run(args)
        sys.stdout.flush()
    except InputError as error:
        return _fail(name, str(error), 2)
    except BackendError as error:
        return _fail(name, str(error), 1)
    except MemoryError:
        return _fail(name, "there is not enough memory for that; make it smaller", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail(name, "interrupted", 130)
    return status


def _parser(only: str | None) -> argparse.ArgumentParser:
    from chexnet_trt import __version__

    parser = _Parser(
        prog="python -m chexnet_trt",
        description="Chest X-ray classifiers from TensorFlow to native inference engines.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"chexnet_trt {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS if only is None else (only,):
        command = _command(name)
        subparser = subparsers.add_parser(
            name,
            help=command.HELP,
            description=command.HELP,
            epilog=f"example:\n{command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _command(name: str) -> ModuleType:
    return importlib.import_module(f"chexnet_trt.commands.{name.replace('-', '_')}")


def _is_text(argument: str) -> bool:
    """Whether the argument was valid UTF-8; what was not arrives as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in argument)


def _fail(command: str | None, message: str, status: int) -> int:
    from chexnet_trt._core import printable

    program = f"chexnet_trt {command}" if command else "chexnet_trt"
    print(f"{program}: error: {printable(message)}", file=sys.stderr)
    return status
