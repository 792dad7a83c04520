internal import Files
internal import Glibc
public import SystemPackage

/// Status files on the disk.
public struct StatusFiles: FileWriting {
    private let making: FilePath?

    /// - Parameter making: Where files are until they are whole; beside their place where it is not given.
    public init(making: FilePath? = nil) { self.making = making }

    public func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        do throws(FileError) { try AtomicFile.write(bytes, to: path, making: making, durable: false) } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw StatusFileError("write", path, error.errno) }
            try makeFolder(path.removingLastComponent())
            do throws(FileError) { try AtomicFile.write(bytes, to: path, making: making, durable: false) } catch {
                throw StatusFileError("write", path, error.errno)
            }
        }
    }

    public func seal(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        do throws(FileError) {
            try DiskSync().fileSystem(of: path.removingLastComponent())
            try AtomicFile.write(bytes, to: path, making: making, durable: true)
        } catch {
            throw StatusFileError("sync", path, error.errno)
        }
    }

    public func remove(_ path: FilePath) throws(StatusFileError) {
        guard path.withPlatformString({ unlink($0) }) != 0, errno != ENOENT else { return }
        throw StatusFileError("remove", path, Errno(rawValue: errno))
    }

    public func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]? {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                while bytes.count <= limit {
                    let piece = try [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                        count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
                    }
                    if piece.isEmpty { return bytes }
                    bytes += piece
                }
                return nil
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as Errno {
            throw StatusFileError("read", path, error)
        } catch {
            throw StatusFileError("read", path, .ioError)
        }
    }

    /// Makes a folder and those above it.
    private func makeFolder(_ path: FilePath) throws(StatusFileError) {
        guard path.withPlatformString({ mkdir($0, 0o750) }) != 0, errno != EEXIST else { return }
        let parent = path.removingLastComponent()
        guard errno == ENOENT, !parent.isEmpty else { throw StatusFileError("create", path, Errno(rawValue: errno)) }
        try makeFolder(parent)
        guard path.withPlatformString({ mkdir($0, 0o750) }) != 0, errno != EEXIST else { return }
        throw StatusFileError("create", path, Errno(rawValue: errno))
    }
}
