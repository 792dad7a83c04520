internal import Files
internal import Foundation
internal import Locking

/// Tells systemd how the service is doing: one datagram to the socket that it named.
///
/// Without systemd it does nothing. The protocol is stable by promise, so no library is needed for it.
package final class SystemdNotifier: Sendable {
    private let socket: LocalDatagrams?
    private let lastStatus = Locked("")
    /// How long systemd waits for a sign of life before it ends the service; nil when it does not.
    package let watchdog: Duration?

    package init(environment: [String: String]) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : LocalDatagrams(to: $0) }
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        watchdog =
            isForUs && socket != nil
            ? environment["WATCHDOG_USEC"].flatMap(Int64.init).flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// Says that a reload has begun, and when; `READY=1` says that it is over.
    func sendReloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        send("RELOADING=1\nMONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000)")
    }

    /// Sends assignments such as `READY=1`, one a line; what cannot be sent is lost, for nobody listens.
    package func send(_ state: String) { socket?.send(Array(state.utf8)) }

    /// Sets the line that `systemctl status` shows, if it is another than before.
    package func status(_ line: String) {
        let isNew = lastStatus.withLock { last in
            defer { last = line }
            return last != line
        }
        if isNew { send("STATUS=\(line)") }
    }
}
