"""What a loss of power leaves: the state at the cut, without what was not synced.

The journal has each change in its order. What was there before it began was durable. A `sync` of a file makes its content
durable, one of a folder the names in it, `syncfs` everything. What is not durable at the cut

  cut-all    is lost, names and content alike: the least that the calls promise
  cut-names  is lost where it is content; names are kept (a journal of metadata that runs ahead of the data)
  cut-data   is lost where it is names; content is kept
  cut-some   is lost or kept by a throw of the dice, page by page and name by name; names in their order

A rename between two folders happens as a whole, as on every file system with a journal, and is durable when one of the folders
is. The shared memory of a ledger is no file that lasts, and is taken away.
"""

import os
import pathlib
import random
import shutil

PAGE = 4096


class Node:
    """A file's content: what is durable, and what was written since."""

    def __init__(self, data=b""):
        self.durable = bytearray(data)
        self.pending = []

    def write(self, offset, data):
        self.pending.append((offset, data))

    def truncate(self, length):
        self.pending.append((length, None))

    def sync(self):
        self.durable = self.apply(lambda: True)
        self.pending = []

    def apply(self, keeps):
        data = bytearray(self.durable)
        for offset, piece in self.pending:
            if piece is None:
                if keeps():
                    data = data[:offset] + bytes(max(0, offset - len(data)))
                continue
            # A disk writes pages, not calls.
            start = 0
            while start < len(piece):
                end = min(len(piece), start + PAGE - (offset + start) % PAGE)
                if keeps():
                    at = offset + start
                    if len(data) < at:
                        data += bytes(at - len(data))
                    data[at:at + end - start] = piece[start:end]
                start = end
        return data


class Disk:
    def __init__(self, root, base):
        self.root = str(root)
        # Names and what is behind them: a node, or None for a folder.
        self.now, self.durable = {}, {}
        self.pending = []
        self.by_inode = {}
        for path, data in base.items():
            self.now[path] = None if data is None else Node(data)
        self.durable = dict(self.now)

    @staticmethod
    def base(root):
        found = {str(root): None}
        for path in sorted(pathlib.Path(root).rglob("*")):
            found[str(path)] = None if path.is_dir() else path.read_bytes()
        return found

    def play(self, journal):
        with open(journal, "rb") as file:
            while line := file.readline():
                op, path, to, inode, number, count = line[:-1].split(b"\t")
                data = file.read(int(count))
                self.step(op.decode(), os.fsdecode(path), os.fsdecode(to), int(inode), int(number), data)

    def node(self, path, inode):
        node = self.by_inode.get(inode) or self.now.get(path)
        if node is None:
            raise RuntimeError(f"the journal names {path}, which was not made")
        self.by_inode[inode] = node
        return node

    def step(self, op, path, to, inode, number, data):
        if op == "write":
            self.node(path, inode).write(number, data)
        elif op == "truncate":
            self.node(path, inode).truncate(number)
        elif op == "sync":
            if os.path.normpath(path) in self.now and self.now[os.path.normpath(path)] is None:
                self.sync_folder(os.path.normpath(path))
            else:
                self.node(path, inode).sync()
        elif op == "syncfs":
            for node in {id(n): n for n in [*self.now.values(), *self.by_inode.values()] if n}.values():
                node.sync()
            self.durable, self.pending = dict(self.now), []
        elif op in ("create", "mkdir"):
            node = Node() if op == "create" else None
            if node:
                self.by_inode[inode] = node
            self.name([(path, node, True)])
        elif op in ("unlink", "rmdir"):
            self.name([(path, self.now.get(path), False)])
            self.by_inode.pop(inode, None)
        elif op == "rename":
            node = self.now.get(path)
            self.name([(path, node, False), (to, node, True)])
        elif op == "link":
            self.name([(to, self.now.get(path), True)])
        else:
            raise RuntimeError(f"the journal has {op}")

    def name(self, change):
        self.pending.append(change)
        self.put(self.now, change)

    @staticmethod
    def put(names, change):
        for path, node, is_there in change:
            if is_there:
                names[path] = node
            else:
                names.pop(path, None)

    def sync_folder(self, folder):
        rest = []
        for change in self.pending:
            if any(os.path.dirname(path) == folder for path, _, _ in change):
                self.put(self.durable, change)
            else:
                rest.append(change)
        self.pending = rest

    def survivors(self, kind, seed):
        """Names and contents after the cut."""
        dice = random.Random(seed)
        names = dict(self.durable)
        if kind == "cut-names":
            names = dict(self.now)
        elif kind == "cut-some":
            for change in self.pending[:dice.randint(0, len(self.pending))]:
                self.put(names, change)
        keeps = {
            "cut-all": lambda: False, "cut-names": lambda: False, "cut-data": lambda: True,
            "cut-some": lambda: dice.random() < 0.5}[kind]
        contents = {id(node): bytes(node.apply(keeps)) for node in names.values() if node}
        found = {}
        for path, node in names.items():
            # A name whose folder is lost is lost with it.
            if all(str(parent) in names for parent in pathlib.Path(path).parents if str(parent).startswith(self.root)):
                found[path] = (node, None if node is None else contents[id(node)])
        return found


def cut(root, base, journal, kind, seed):
    """Leaves beneath `root` what the cut leaves; files that stay are the same files, with their times."""
    disk = Disk(root, base)
    disk.play(journal)
    found = disk.survivors(kind, seed)
    # Every file that is there is put aside, by what it is, and then to where it is found.
    aside = pathlib.Path(f"{root}.aside")
    aside.mkdir()
    kept = {}
    for path, node in disk.now.items():
        if node and os.path.exists(path):
            kept.setdefault(id(node), aside / str(id(node)))
            os.rename(path, kept[id(node)])
    for entry in list(pathlib.Path(root).iterdir()):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for path in sorted(found):
        if path == str(root) or path.endswith("-shm"):
            continue
        node, data = found[path]
        if node is None:
            os.makedirs(path, exist_ok=True)
            continue
        there = kept.get(id(node))
        if there is None:
            pathlib.Path(path).write_bytes(data)
            continue
        if there.read_bytes() != data:
            times = there.stat()
            there.write_bytes(data)
            os.utime(there, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.link(there, path)
    shutil.rmtree(aside)
