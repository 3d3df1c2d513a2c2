"""What the measurements amount to: a table with a column for each tool, and for each goal whether it holds."""
import re
import subprocess

from measuring import median

GIGA, MEGA = 1e9, 1e6
CONTENT_TABLES = ("chunk", "pack")  # of site.db: what finds a chunk
BORGS = ("borg", "borg zstd,3")


def rates_of_machine(program):
    """What `satchel-rates` says: MB/s of one core for each step, and the CPU-seconds for a GB that follow from them."""
    if not program.exists():
        return {}, {}
    said = subprocess.run([program], capture_output=True, check=True, text=True).stdout
    rates = {name.strip(): float(rate) for name, rate in
             re.findall(r"^([a-z][\w ,]*?) +([\d.]+) MB/s", said, re.MULTILINE)}
    bounds = dict(zip(("media", "texts"), map(float, re.findall(r"for (?:media|text): ([\d.]+)", said))))
    return rates, bounds


def index_bytes(site):
    """The files and the pages of site.db that find a chunk."""
    files = sum(path.stat().st_size for path in site.rglob("*")
                if path.is_file() and any("index" in part for part in path.relative_to(site).parts)
                and "catalogue.git" not in path.parts)
    asked = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
    done = subprocess.run(["sqlite3", f"file:{site / 'site.db'}?mode=ro&immutable=1", asked], capture_output=True,
                          check=False, text=True)
    pages = [line.rsplit("|", 1) for line in done.stdout.splitlines()]
    return files + sum(int(size) for name, size in pages if any(table in name for table in CONTENT_TABLES))


class Workload:
    """All measurements of one tree: steps[tool][step] is a list of Figures, stored[tool][editions] a size."""

    def __init__(self, name, size, files):
        self.name, self.size, self.files = name, size, files
        self.steps, self.stored, self.notes, self.more = {}, {}, [], {}

    def add(self, tool, step, figures):
        self.steps.setdefault(tool, {}).setdefault(step, []).append(figures)

    def of(self, tool, step, field):
        all_runs = self.steps.get(tool, {}).get(step)
        return median([getattr(figures, field) for figures in all_runs]) if all_runs else None

    def best_peer(self, step, field, peers=None):
        found = [(self.of(tool, step, field), tool) for tool in self.steps
                 if tool not in ("satchel", "cp -r") and (peers is None or tool in peers)]
        return min((pair for pair in found if pair[0] is not None), default=(None, None))

    def smallest_peer(self, editions):
        found = [(sizes[editions], tool) for tool, sizes in self.stored.items()
                 if tool != "satchel" and editions in sizes]
        return min(found, default=(None, None))

    def as_json(self):
        steps = {tool: {step: [vars(figures) for figures in runs] for step, runs in steps.items()}
                 for tool, steps in self.steps.items()}
        return {"bytes": self.size, "files": self.files, "runs": steps, "stored": self.stored, "notes": self.notes,
                **self.more}


def rows_of(workload):
    """(label, unit, {tool: value}) for each line of the table."""
    gigabytes, rows = workload.size / GIGA, []
    steps = list(dict.fromkeys(step for steps in workload.steps.values() for step in steps))
    for step in steps:
        per = gigabytes if step in ("ingest e1", "restore e1", "verify") else 1
        unit = "/GB" if per is gigabytes else ""
        for field, title, divisor in (("cpu_s", f"CPU s{unit}", per), ("wall_s", f"wall s{unit}", per),
                                      ("memory_mib", "memory MiB", 1)):
            values = {tool: workload.of(tool, step, field) for tool in workload.steps}
            rows.append((step, title, {tool: value / divisor for tool, value in values.items() if value is not None}))
    for editions in dict.fromkeys(name for sizes in workload.stored.values() for name in sizes):
        rows.append((f"stored {editions}", "MB", {tool: sizes[editions] / MEGA for tool, sizes in
                                                  workload.stored.items() if editions in sizes}))
    return rows


def table_of(workload, tools):
    lines = [f"{workload.name}: {workload.size / MEGA:.1f} MB in {workload.files} files",
             f"{'':22}{'':12}" + "".join(f"{tool:>13}" for tool in tools)]
    last = None
    for label, unit, values in rows_of(workload):
        cells = "".join(f"{values[tool]:13.3f}" if tool in values else f"{'-':>13}" for tool in tools)
        lines.append(f"{label if label != last else '':22}{unit:12}{cells}")
        last = label
    return lines


class Goals:
    """Each goal as a line with its figures; nothing here fails because a figure is bad."""

    def __init__(self):
        self.rows = []

    def add(self, line, what, holds, detail):
        word = "not measured" if holds is None else "holds" if holds else "does not hold"
        self.rows.append({"line": line, "what": what, "holds": holds, "detail": detail, "verdict": word})

    def ratio(self, line, what, workload, step, field, wanted, peers=None):
        ours, (theirs, name) = workload.of("satchel", step, field), workload.best_peer(step, field, peers)
        if not ours or theirs is None:
            return self.add(line, what, None, "")
        return self.add(line, what, theirs / ours >= wanted,
                        f"{ours:.3f} s against {theirs:.3f} s of {name}: {theirs / ours:.2f} x, wanted {wanted} x")

    def ingest(self, media, texts, bounds):
        self.ratio("1", "media: ingest, CPU", media, "ingest e1", "cpu_s", 3.0)
        self.ratio("1", "media: ingest, wall", media, "ingest e1", "wall_s", 3.0)
        self.disk_alone(media)
        self.ratio("1", "texts: ingest, CPU", texts, "ingest e1", "cpu_s", 1.5)
        self.stored("1", "texts: no more stored bytes", texts, "e1")
        for workload in (media, texts):
            bound, ours = bounds.get(workload.name), workload.of("satchel", "ingest e1", "cpu_s")
            what = f"{workload.name}: share of the bound"
            if bound is None or not ours:
                self.add("1", what, None, "the rates of this machine are not known")
                continue
            each = ours / workload.size * GIGA
            self.add("1", what, None, f"bound {bound:.3f} CPU s/GB, ours {each:.3f}: {100 * bound / each:.0f} %")
            self.rows[-1]["verdict"] = "figure"

    def disk_alone(self, media):
        """Ingest and checkout end when the disk has everything: beside them, how fast it takes as much."""
        seconds = media.more.get("disk_alone_s")
        if seconds:
            self.add("1", "media: as many bytes written and synced", None,
                     f"{median(seconds):.3f} s, {media.size / median(seconds) / MEGA:.0f} MB/s: the disk alone")
            self.rows[-1]["verdict"] = "figure"

    def stored(self, line, what, workload, editions):
        ours, (theirs, name) = workload.stored.get("satchel", {}).get(editions), workload.smallest_peer(editions)
        if ours is None or theirs is None:
            return self.add(line, what, None, "")
        return self.add(line, what, ours <= theirs, f"{ours} B against {theirs} B of {name}: {ours / theirs:.4f}")

    def reading(self, media):
        # A checkout waits for the disk and the others do not: so both, as each says that it is done, and until the
        # disk has all of it.
        self.restore(media, "media: restore, as each says it is done", ("restore e1",))
        self.restore(media, "media: restore, until the disk has it", ("restore e1", "then sync e1"))
        self.ratio("2", "media: full verify, CPU", media, "verify", "cpu_s", 2.5, BORGS)
        drop = media.of("satchel", "drop e1", "wall_s")
        self.add("2", "media: one of two editions dropped", None if drop is None else drop < 0.1,
                 "this satchel has no `store drop` and `store collect`" if drop is None
                 else f"{drop:.3f} s, wanted under 0.1 s; best peer {media.best_peer('drop e1', 'wall_s')}")

    def restore(self, media, what, steps):
        def wall_of(done):
            return median([sum(each.wall_s for each in run) for run in zip(*(done[step] for step in steps))])

        seconds = {tool: wall_of(done)
                   for tool, done in media.steps.items() if all(step in done for step in steps)}
        ours, copy = seconds.get("satchel"), seconds.get("cp -r")
        theirs, name = min(((wall, tool) for tool, wall in seconds.items() if tool not in ("satchel", "cp -r")),
                           default=(None, None))
        if ours is None or copy is None or theirs is None:
            return self.add("2", what, None, "")
        return self.add("2", what, theirs / ours >= 2 or copy / ours >= 0.8,
                        f"{media.size / ours / MEGA:.0f} MB/s: {theirs / ours:.2f} x {name} (wanted 2 x), or "
                        f"{100 * copy / ours:.0f} % of cp -r (wanted 80 %); "
                        + ", ".join(f"{tool} {wall:.2f} s" for tool, wall in seconds.items()))

    def space(self, media, texts):
        for editions in ("e1", "e1+e2", "e1+e2+e3"):
            self.stored("3", f"media: stored, {editions}", media, editions)
        for workload in (media, texts):
            parts = workload.more.get("satchel_parts")
            if parts:
                packs = parts["pack_bytes"] - parts["content"] - parts["parity_in_packs"]
                over = packs + parts["index"]
                stored = workload.stored["satchel"]["e1"]
                self.add("3", f"{workload.name}: overhead of packs and index", over <= stored * 0.004,
                         f"{packs} B in packs, {parts['index']} B of index for {parts['chunks']} chunks: "
                         f"{100 * over / stored:.3f} %, wanted 0.4 %; parity besides: {parts['parity']} B "
                         f"({100 * parts['parity'] / stored:.2f} %); caches, not counted as stored: "
                         f"{parts['caches']} B")
        again = texts.of("satchel", "unchanged", "wall_s")
        self.add("3", f"texts: {texts.files} unchanged files once more", None if again is None else again < 3,
                 "" if again is None else f"{again:.3f} s, wanted under 3 s for 117,000")

    def memory_and_reading(self, media, texts):
        for workload in (media, texts):
            peaks = {step: max(figures.memory_mib for figures in runs)
                     for step, runs in workload.steps.get("satchel", {}).items()}
            self.add("4", f"{workload.name}: VmHWM, MiB", None,
                     ", ".join(f"{step} {peak:.1f}" for step, peak in peaks.items()))
            self.rows[-1]["verdict"] = "figure"
            for what, seconds in workload.more.get("first_byte_s", {}).items():
                self.add("5", f"{workload.name}: cat, first byte of {what}", None, f"{1000 * seconds:.2f} ms, warm")
                self.rows[-1]["verdict"] = "figure"

    def lines(self):
        return [f"{row['line']}  {row['what']:48} {row['verdict']:13} {row['detail']}" for row in self.rows]
