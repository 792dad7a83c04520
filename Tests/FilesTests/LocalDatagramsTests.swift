import Files
import Glibc
import SystemPackage
import TestSupport
import Testing

/// How entries get to the journal: as datagrams, or as sealed files in memory where they are too large for one.
@Suite("Local datagrams")
struct LocalDatagramsTests {
    /// A socket such as journald listens on.
    private final class Listener {
        let path: FilePath
        private let folder: TemporaryFolder
        private let descriptor: CInt

        init() throws {
            folder = try TemporaryFolder()
            path = folder.path.appending("socket")
            descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let name = Array(path.string.utf8)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count + 1)
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            try #require(bound == 0)
        }

        deinit { close(descriptor) }

        /// The next datagram, and the file that came with it; nil when there is none.
        func next() -> (bytes: [UInt8], file: CInt?)? {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            var control = [UInt8](repeating: 0, count: 256)
            var header = msghdr()
            let count = bytes.withUnsafeMutableBytes { bytes in
                control.withUnsafeMutableBytes { control in
                    var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                    return withUnsafeMutablePointer(to: &vector) { vector in
                        header.msg_iov = vector
                        header.msg_iovlen = 1
                        header.msg_control = control.baseAddress
                        header.msg_controllen = control.count
                        return recvmsg(descriptor, &header, CInt(MSG_DONTWAIT))
                    }
                }
            }
            guard count >= 0 else { return nil }
            guard header.msg_controllen > 0 else { return (Array(bytes.prefix(count)), nil) }
            // A length of 8 bytes, a level and a kind of 4 each, and the descriptor (cmsg(3)).
            let (kind, file) = control.withUnsafeBytes {
                ($0.load(fromByteOffset: 12, as: CInt.self), $0.load(fromByteOffset: 16, as: CInt.self))
            }
            #expect(kind == CInt(SCM_RIGHTS))
            return (Array(bytes.prefix(count)), file)
        }
    }

    @Test("what fits goes as a datagram", arguments: [1, 4_096, 100_000])
    func datagram(count: Int) throws {
        let listener = try Listener()
        let datagrams = try #require(LocalDatagrams(to: listener.path.string))
        let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        #expect(datagrams.send(sent, inMemory: true))
        let received = try #require(listener.next())
        #expect(received.bytes == sent && received.file == nil)
    }

    @Test("what does not fit goes as a file in memory that nobody can change any more", arguments: [1 << 20, 9 << 20])
    func inMemory(count: Int) throws {
        let listener = try Listener()
        let datagrams = try #require(LocalDatagrams(to: listener.path.string))
        let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(datagrams.send(sent, inMemory: true))
        let received = try #require(listener.next())
        #expect(received.bytes == [])
        let file = try #require(received.file)
        defer { close(file) }
        // F_GET_SEALS of fcntl(2): against more seals, shrinking, growing and writing. journald takes no other.
        #expect(fcntl(file, 1_034) == 0b1111)
        var look = stat()
        #expect(fstat(file, &look) == 0 && look.st_size == count && look.st_nlink == 0)
        var found = [UInt8](repeating: 0, count: count)
        #expect(pread(file, &found, count, 0) == count)
        #expect(found == sent)
        #expect(write(file, "x", 1) == -1 && errno == EPERM)
        #expect(listener.next() == nil)
    }

    @Test("where that is not allowed, what does not fit is not sent, and that is told")
    func tooLarge() throws {
        let listener = try Listener()
        let datagrams = try #require(LocalDatagrams(to: listener.path.string))
        #expect(!datagrams.send([UInt8](repeating: 1, count: 1 << 20)))
        #expect(listener.next() == nil)
        #expect(datagrams.send([2]))
        #expect(listener.next()?.bytes == [2])
    }

    @Test("nobody listens: told, and heard again by the next who does")
    func absent() throws {
        let path: FilePath
        do {
            let first = try Listener()
            path = first.path
        }
        let datagrams = try #require(LocalDatagrams(to: path.string))
        #expect(!datagrams.send([1], inMemory: true))
        #expect(!datagrams.send([UInt8](repeating: 1, count: 1 << 20), inMemory: true))
        #expect(LocalDatagrams(to: String(repeating: "n", count: 200))?.send([1]) == false)
    }
}
