import Glibc
import SystemPackage
import Transport

/// A transport for tests: few connections, and no proxy from the environment.
func makeTransport(caFile: String? = nil, proxy: String = "", maxConnections: Int = 8) throws -> CurlTransport {
    try CurlTransport(.init(caFile: caFile, proxy: proxy, userAgent: "tests/1", maxConnections: maxConnections))
}

/// A body of zeros that takes no memory: more of it than the sockets' buffers hold, unless it is read.
func sparseBody(byteCount: Int64 = 64 << 20) throws -> HTTPRequest.Body {
    let folder = try TemporaryFolder()
    let file = try folder.write([], to: "sparse")
    guard truncate(file.string, off_t(byteCount)) == 0 else { throw Errno(rawValue: errno) }
    // Open, so it may lose its name.
    return .multipart([.init(name: "1", content: .file(try FileSlice(opening: file, length: byteCount)))])
}

/// The error of a request that is expected to fail.
func failure(_ transport: CurlTransport, _ request: HTTPRequest) async -> TransportError? {
    do {
        _ = try await transport.send(request)
        return nil
    } catch {
        return error
    }
}

/// A folder of its own, gone with the last reference.
final class TemporaryFolder: Sendable {
    let path: FilePath

    init() throws {
        var template = Array("/tmp/transport-tests-XXXXXX".utf8CString)
        guard let name = mkdtemp(&template) else { throw Errno(rawValue: errno) }
        path = FilePath(platformString: name)
    }

    deinit {
        for name in names() { unlink(path.appending(name).string) }
        rmdir(path.string)
    }

    /// Writes a file, and returns its path.
    func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
        let file = path.appending(name)
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        return file
    }

    private func names() -> [String] {
        guard let folder = opendir(path.string) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}

/// The memory of this process that belongs to no file, in bytes.
func anonymousMemory() throws -> Int {
    let descriptor = try FileDescriptor.open("/proc/self/status", .readOnly)
    return try descriptor.closeAfter {
        let text = try String(unsafeUninitializedCapacity: 8192) { buffer in
            try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (Int(line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first ?? "") ?? 0) * 1024
    }
}

/// A megabyte of zeros, gzipped.
let gzipOfAMegabyte: [UInt8] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 49, 1, 0, 0, 0, 194, 160, 245, 79, 109, 8, 95, 160]
    + [UInt8](repeating: 0, count: 1016)
    + [62, 3, 28, 234, 56, 167, 0, 0, 16, 0]

/// Blocks the calling thread: a server's way to be slow.
func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

/// Whether memory figures mean nothing.
let runsUnderAddressSanitizer = dlsym(dlopen(nil, RTLD_NOW), "__asan_init") != nil
