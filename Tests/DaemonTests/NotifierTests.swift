import Daemon
import Foundation
import Glibc
import Locking
import Testing

/// A socket such as systemd listens on.
private final class Listener {
    let name: String
    private let descriptor: CInt

    /// Without a file, in the abstract namespace, or with one.
    init(isAbstract: Bool = true) throws {
        let unique = UUID().uuidString
        name = isAbstract ? "@datarowd-\(unique)" : NSTemporaryDirectory() + "d-" + unique.prefix(8)
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if isAbstract { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(bound == 0)
    }

    deinit {
        close(descriptor)
        if !name.hasPrefix("@") { unlink(name) }
    }

    /// The next datagram; nil when there is none.
    func next(waits: Bool = false) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, waits ? 0 : CInt(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

@Suite("Notifications of systemd")
struct NotifierTests {
    @Test("go to a socket with a file and to one without", arguments: [true, false])
    func sockets(isAbstract: Bool) throws {
        let listener = try Listener(isAbstract: isAbstract)
        let notifier = SystemdNotifier(environment: ["NOTIFY_SOCKET": listener.name])
        notifier.send("READY=1")
        #expect(listener.next() == "READY=1")
        #expect(listener.next() == nil)
    }

    @Test("a status is told when it is another than before")
    func status() throws {
        let listener = try Listener()
        let notifier = SystemdNotifier(environment: ["NOTIFY_SOCKET": listener.name])
        for line in ["a", "a", "b", "a"] { notifier.status(line) }
        #expect((0..<4).map { _ in listener.next() } == ["STATUS=a", "STATUS=b", "STATUS=a", nil])
    }

    @Test(
        "the watchdog is ours when it names this process or none",
        arguments: [
            (["WATCHDOG_USEC": "180000000"], Duration.seconds(180)),
            (["WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "\(getpid())"], .seconds(180)),
            (["WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "1"], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "soon"], nil), ([:], nil),
        ] as [([String: String], Duration?)])
    func watchdog(environment: [String: String], limit: Duration?) {
        let notifier = SystemdNotifier(environment: environment.merging(["NOTIFY_SOCKET": "@nobody"]) { $1 })
        #expect(notifier.watchdog == limit)
    }

    @Test("without systemd nothing is sent, and nothing fails")
    func absent() {
        let notifier = SystemdNotifier(environment: ["WATCHDOG_USEC": "180000000"])
        notifier.send("READY=1")
        #expect(notifier.watchdog == nil)
    }

    @Test("a start that works asks for more time until it has ended", .timeLimit(.minutes(1)))
    func extends() throws {
        let listener = try Listener()
        let notifier = SystemdNotifier(environment: ["NOTIFY_SOCKET": listener.name])
        let start = StartExtension(notifier, interval: 0.1)
        #expect(listener.next() == "STATUS=starting: it reads the ledger")
        // Works, as a long recovery does, until it was given more time two times.
        var asked: [String] = []
        var sum = 0.0
        while asked.count < 2 {
            for number in 1..<100_000 { sum += Double(number).squareRoot() }
            if let next = listener.next() { asked.append(next) }
        }
        #expect(sum > 0)
        #expect(asked == Array(repeating: "EXTEND_TIMEOUT_USEC=90000000", count: 2))
        start.end()
    }

    @Test("a start that hangs gets no more time, and one that gets on again does", .timeLimit(.minutes(1)))
    func hangs() async throws {
        let listener = try Listener()
        // What it used, at each look: nothing but the little that waiting costs, until it goes on.
        let (used, looks) = (Locked(Duration.zero), Locked(0))
        let start = StartExtension(
            SystemdNotifier(environment: ["NOTIFY_SOCKET": listener.name]), interval: 0.001,
            used: {
                looks.withLock { $0 += 1 }
                return used.withLock { used in
                    used += .microseconds(100)
                    return used
                }
            })
        #expect(listener.next(waits: true) == "STATUS=starting: it reads the ledger")
        var heard: String?
        while looks.withLock({ $0 }) < 400, heard == nil {
            heard = listener.next()
            await Task.yield()
        }
        #expect(heard == nil)
        used.withLock { $0 += .seconds(1) }
        #expect(listener.next(waits: true) == "EXTEND_TIMEOUT_USEC=90000000")
        start.end()
    }
}
