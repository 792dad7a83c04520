internal import CLinux
internal import Glibc
public import SystemPackage

/// Opens files below a folder, and nothing that lies outside of it.
///
/// Links are followed as long as they stay inside. Nothing on the way is opened but by name only
/// (`O_PATH`), so that no FIFO, device or socket notices.
public struct BeneathOpener: Sendable {
    public let root: FilePath
    private let usesOpenat2: Bool

    public init(root: FilePath) { self.init(root: root, usesOpenat2: true) }

    /// * `usesOpenat2`: false takes the way of kernels before 5.6, which follows no links.
    package init(root: FilePath, usesOpenat2: Bool) {
        self.root = root
        self.usesOpenat2 = usesOpenat2
    }

    /// Why a path was not opened.
    public enum Refusal: Error, Hashable, Sendable {
        /// Nothing has this name.
        case missing
        /// The path, or a link on it, leads out of the root, or is absolute.
        case outside
        /// It is there, but no regular file.
        case notRegular(FileKind)
        case failed(FileError)
    }

    /// Opens the regular file at `relative`, to be read.
    ///
    /// * `followingLinks`: whether links on the way and in the last place are followed.
    public func open(_ relative: FilePath, followingLinks: Bool = true) throws(Refusal) -> OpenFile {
        let handle = try self.handle(relative, followingLinks: followingLinks)
        defer { close(handle) }
        let path = root.pushing(relative)
        var status = stat()
        guard fstat(handle, &status) == 0 else { throw .failed(.last("stat", path)) }
        let kind = FileKind(mode: status.st_mode)
        guard kind == .regular else { throw .notRegular(kind) }
        // Opened again through the handle: the very file that was looked at, whatever the name means by now.
        let descriptor = Glibc.open("/proc/self/fd/\(handle)", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw .failed(.last("open", path)) }
        return OpenFile(owning: descriptor, path: path)
    }

    /// Looks at what `relative` leads to, links followed, without opening it.
    public func look(_ relative: FilePath) throws(Refusal) -> FileLook {
        let handle = try self.handle(relative, followingLinks: true)
        defer { close(handle) }
        var status = stat()
        guard fstat(handle, &status) == 0 else { throw .failed(.last("stat", root.pushing(relative))) }
        return FileLook(status)
    }

    private func handle(_ relative: FilePath, followingLinks: Bool) throws(Refusal) -> CInt {
        guard relative.isRelative, !relative.isEmpty else { throw .outside }
        let rootHandle = root.withPlatformString { Glibc.open($0, clinux_o_path | O_DIRECTORY | O_CLOEXEC) }
        guard rootHandle >= 0 else { throw refusal(for: root) }
        defer { close(rootHandle) }
        let flags = clinux_o_path | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW)
        if usesOpenat2 {
            let handle = relative.withPlatformString {
                clinux_open_beneath(rootHandle, $0, flags, followingLinks ? 0 : 1)
            }
            if handle >= 0 { return handle }
            // EPERM: a seccomp filter that does not know the call.
            guard errno == ENOSYS || errno == EPERM else { throw refusal(for: root.pushing(relative)) }
        }
        return try walk(relative, from: rootHandle)
    }

    /// The way without openat2: one component after the other, none of them a link, `..` never.
    private func walk(_ relative: FilePath, from rootHandle: CInt) throws(Refusal) -> CInt {
        var current = dup(rootHandle)
        guard current >= 0 else { throw .failed(.last("dup", root)) }
        for component in relative.components {
            let previous = current
            defer { close(previous) }
            guard component.kind != .parentDirectory else { throw .outside }
            let next = component.withPlatformString {
                openat(current, $0, clinux_o_path | O_NOFOLLOW | O_CLOEXEC)
            }
            guard next >= 0 else { throw refusal(for: root.pushing(relative)) }
            current = next
        }
        return current
    }

    private func refusal(for path: FilePath) -> Refusal {
        switch errno {
        case ENOENT, ENOTDIR: .missing
        case EXDEV: .outside
        default: .failed(.last("open", path))
        }
    }
}

extension BeneathOpener {
    /// What a path led to, and where that really is.
    public struct Place: Hashable, Sendable {
        public let look: FileLook
        /// Absolute, without links.
        public let path: FilePath
    }

    /// Finds what `relative` leads to, links inside the root followed, without opening it.
    public func place(_ relative: FilePath) throws(Refusal) -> Place {
        let handle = try self.handle(relative, followingLinks: true)
        defer { close(handle) }
        let path = root.pushing(relative)
        var status = stat()
        guard fstat(handle, &status) == 0 else { throw .failed(.last("stat", path)) }
        return Place(look: FileLook(status), path: Self.realPath(of: handle) ?? path)
    }

    /// Moves the file at `relative` out to `target`, which must be free; no link on the way is followed.
    ///
    /// The folder that is left and the one that is entered are not synced.
    /// - Throws: `.failed` with `.improperLink` where `target` is on another file system, and with
    ///   `.fileExists` where it is taken.
    public func take(_ relative: FilePath, to target: FilePath) throws(Refusal) {
        guard let name = relative.lastComponent else { throw .outside }
        let folder = relative.removingLastComponent()
        let handle = try self.handle(folder.orCurrent, followingLinks: false)
        defer { close(handle) }
        let result = name.withPlatformString { name in
            target.withPlatformString { clinux_rename_noreplace(handle, name, AT_FDCWD, $0) }
        }
        if result == 0 { return }
        if errno == ENOENT, (try? FileLook.exists(target.parent)) == false {
            throw .failed(FileError("rename", target, .noSuchFileOrDirectory))
        }
        guard errno != ENOENT, errno != ENOTDIR else { throw .missing }
        guard errno == EINVAL || errno == ENOSYS else { throw .failed(.last("rename", target)) }
        do { try DurableRename.renameWithoutReplacing(root.pushing(relative), target) } catch {
            throw error.errno == .noSuchFileOrDirectory ? .missing : .failed(error)
        }
    }

    fileprivate static func realPath(of handle: CInt) -> FilePath? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
            let text = buffer.assumingMemoryBound(to: CChar.self)
            guard let base = text.baseAddress else { return nil }
            let count = readlink("/proc/self/fd/\(handle)", base, text.count)
            guard count > 0, count < text.count else { return nil }
            return FilePath(bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer).prefix(count)))
        }
    }
}

extension FilePath {
    /// This path without links, `.` and `..`; nil when it leads nowhere.
    public func withoutLinks() -> FilePath? {
        withPlatformString { path in
            // The kernel knows; realpath(3) would look at each folder on the way. It is for where /proc cannot be asked.
            let handle = Glibc.open(path, clinux_o_path | O_CLOEXEC)
            if handle >= 0 {
                defer { close(handle) }
                if let real = BeneathOpener.realPath(of: handle) { return real }
            }
            guard let real = realpath(path, nil) else { return nil }
            defer { free(real) }
            return FilePath(platformString: real)
        }
    }
}
