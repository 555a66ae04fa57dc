"""An independent look at a tree, for tests: nothing of Tranship's or Node's is used, paths may be longer than PATH_MAX, holes cost nothing.

Usage: look.py DIRECTORY. Prints one JSON line per path: [path, {fact: value}], bytes as latin1 text, sorted within each directory.
"""
import hashlib, json, os, stat, sys

BLOCK = 65536
ZEROS = bytes(BLOCK)
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
         stat.S_IFCHR: "character", stat.S_IFBLK: "block", stat.S_IFSOCK: "socket"}


def content(fd, size):
    """A hash of the blocks that are not zero, with their places: equal whatever is a hole and whatever is written zeros."""
    digest = hashlib.sha256()
    at = 0
    while at < size:
        try:
            at = max(at, os.lseek(fd, at, os.SEEK_DATA))
        except OSError:
            break
        at -= at % BLOCK
        block = os.pread(fd, BLOCK, at)
        if block != ZEROS[:len(block)]:
            digest.update(b"%d:" % at + block)
        at += BLOCK
    return digest.hexdigest()


def xattrs(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in names}


def facts(directory, name, path, links):
    # By descriptor of the directory: nothing on the way is followed, and no path is too long.
    through = b"/proc/self/fd/%d/" % directory + name
    info = os.lstat(through)
    kind = stat.S_IFMT(info.st_mode)
    found = {"type": TYPES[kind], "uid": info.st_uid, "gid": info.st_gid, "mtime": info.st_mtime_ns}
    if kind != stat.S_IFLNK:
        found["mode"] = "%04o" % stat.S_IMODE(info.st_mode)
    if kind == stat.S_IFREG:
        found["size"] = info.st_size
        found["blocks"] = info.st_blocks
        fd = os.open(through, os.O_RDONLY | os.O_NOFOLLOW)
        found["content"] = content(fd, info.st_size)
        os.close(fd)
    if kind == stat.S_IFLNK:
        found["link"] = os.readlink(through).decode("latin1")
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        found["device"] = [os.major(info.st_rdev), os.minor(info.st_rdev)]
    if kind != stat.S_IFDIR and info.st_nlink > 1:
        found["same"] = links.setdefault(info.st_ino, path.decode("latin1"))
        found["names"] = info.st_nlink
    for name, value in xattrs(through).items():
        found["xattr " + name] = value
    return found


def main(root):
    links = {}
    opened = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    print(json.dumps(["", facts(opened, b".", b"", links)]))
    pending = [(opened, b"")]
    while pending:
        directory, path = pending.pop()
        for name in sorted(os.listdir(b"/proc/self/fd/%d" % directory)):
            below = path + b"/" + name if path else name
            found = facts(directory, name, below, links)
            print(json.dumps([below.decode("latin1"), found]))
            if found["type"] == "directory":
                # Descriptors of directories that wait are kept: bounded by the widest level of a test's tree.
                pending.append((os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory), below))
        os.close(directory)


main(os.fsencode(sys.argv[1]))
