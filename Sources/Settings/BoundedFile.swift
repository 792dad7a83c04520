internal import Glibc
internal import SystemPackage

/// Reads small files that people write.
enum BoundedFile {
    /// Why a file was not read.
    enum Problem: Error, CustomStringConvertible {
        case system(Errno)
        case notRegular
        case tooLong(Int)

        var description: String {
            switch self {
            case .system(let errno): errno.description
            case .notRegular: "it is not a regular file"
            case .tooLong(let limit): "it has more than \(limit) bytes"
            }
        }
    }

    /// Reads a whole regular file, and calls `inspect` with its mode.
    static func read(_ path: FilePath, limit: Int, inspect: (mode_t) -> Void = { _ in }) throws(Problem) -> [UInt8] {
        do {
            // Not to be held up by a FIFO that stands in the file's place.
            let file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
            defer { try? file.close() }  // it was only read; nothing can be lost
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
            guard status.st_mode & S_IFMT == S_IFREG else { throw Problem.notRegular }
            inspect(status.st_mode)
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 1 << 16)
            while bytes.count <= limit {
                let count = try block.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += block[..<count]
            }
            throw Problem.tooLong(limit)
        } catch let problem as Problem {
            throw problem
        } catch let errno as Errno {
            throw .system(errno)
        } catch {
            preconditionFailure("reading threw \(error)")
        }
    }
}
