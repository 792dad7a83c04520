internal import DataRows
internal import Glibc
internal import SystemPackage

/// A file without a name that lives in memory, written anew for each input.
enum MemoryFile {
    /// A manifest with this text.
    static func manifest(_ text: some Collection<UInt8>, _ format: ManifestFormat) throws -> ManifestFile {
        let descriptor = try open()
        do {
            try descriptor.writeAll(toAbsoluteOffset: 0, text)
        } catch {
            try? descriptor.close()
            throw error
        }
        return try ManifestFile(descriptor: descriptor, name: "input", format: format)
    }

    /// What is in the folder for files that need a name.
    static let folder: FilePath = {
        var template = Array("/dev/shm/datarowd-fuzz.XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return "/tmp" }
            return FilePath(String(cString: base))
        }
    }()

    private static func open() throws -> FileDescriptor {
        let path = folder.appending("input")
        let descriptor = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        unlink(path.string)
        return descriptor
    }
}
