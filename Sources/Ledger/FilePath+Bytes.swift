package import SystemPackage

extension FilePath {
    /// The bytes of the path, which need not be UTF-8.
    package var rawBytes: [UInt8] {
        withPlatformString { pointer in
            var bytes: [UInt8] = []
            var next = pointer
            while next.pointee != 0 {
                bytes.append(UInt8(bitPattern: next.pointee))
                next += 1
            }
            return bytes
        }
    }

    /// The path with these bytes, up to the first NUL.
    package init(rawBytes bytes: some Sequence<UInt8>) {
        var platform = bytes.map { CInterop.PlatformChar(bitPattern: $0) }
        platform.append(0)
        self = platform.withUnsafeBufferPointer { buffer in
            // The buffer ends in the NUL just appended, so it is never empty.
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
        }
    }
}
