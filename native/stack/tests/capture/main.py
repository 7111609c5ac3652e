#!/usr/bin/env python3
"""Has a kernel say each kind of thing there is to say, and writes its packets down:

    main.py DIRECTORY [SCENARIO...]

One file a scenario: each packet has a line with the types of its chunks, and then its bytes in
hexadecimal. A scenario that does not see what it waits for is an error, told when the others are done.
"""
import pathlib
import sys
import traceback

import associations
import kernel
import refusals
import wire

SCENARIOS = associations.SCENARIOS | refusals.SCENARIOS


def write(file, about, packets):
    with file.open("w") as out:
        print(f"# Linux {kernel.release()}: {about}", file=out)
        for packet in packets:
            names = " ".join(str(name) for name, _, _ in wire.chunks(packet))
            print(f"\n# {names}", file=out)
            for start in range(0, len(packet), 40):
                print(packet[start:start + 40].hex(), file=out)


def main(directory, *wanted):
    kernel.new_network()
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    failed = []
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        if wanted and name not in wanted:
            continue
        # Ports of its own: what is still said of another one is not of this one.
        port = 5000 + number * 20
        watch = kernel.Watch(*range(port, port + 20))
        try:
            scenario(watch, port)
        except Exception:
            traceback.print_exc()
            watch.take()
            print(f"{name}: {[wire.chunks(packet) for packet in watch.packets]}", flush=True)
            failed.append(name)
            continue
        finally:
            watch.close()
        write(directory / f"{name}.hex", scenario.__doc__, watch.packets)
        print(f"{name}: {len(watch.packets)} packets", flush=True)
    if failed:
        sys.exit(f"failed: {' '.join(failed)}")


main(*sys.argv[1:])
