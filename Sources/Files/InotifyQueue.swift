internal import CLinux
internal import Glibc
internal import Locking
internal import SystemPackage

/// One inotify queue and the thread that empties it.
///
/// The thread does nothing but read and hand on: the kernel drops events when its queue is full, so
/// whoever is told must be quick and never touch a disk.
final class InotifyQueue: Sendable {
    struct Event {
        let watch: CInt
        let mask: UInt32
        /// Empty where the event is about the watched thing itself.
        let name: FilePath

        func has(_ bits: Int32) -> Bool { mask & UInt32(truncatingIfNeeded: bits) != 0 }
    }

    private let queue: CInt
    private let stop: CInt

    /// * `receive`: is called on the queue's thread with all events of one read.
    init(receive: @escaping @Sendable ([Event]) -> Void) throws(FileError) {
        queue = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard queue >= 0 else {
            let reason = Errno(rawValue: errno)
            let hint = reason == .tooManyOpenFiles ? "Raise the sysctl fs.inotify.max_user_instances." : nil
            throw FileError("inotify_init", "/proc/sys/fs/inotify", reason, hint: hint)
        }
        stop = clinux_eventfd()
        guard stop >= 0 else {
            let error = FileError.last("eventfd", FilePath())
            close(queue)
            throw error
        }
        do throws(FileError) {
            // The thread owns both descriptors from here on and closes them when it is told to stop.
            try Self.spawn { [queue, stop] in Self.run(queue: queue, stop: stop, receive: receive) }
        } catch {
            close(queue)
            close(stop)
            throw error
        }
    }

    deinit { clinux_eventfd_ring(stop) }

    /// Watches `path`; watching the same thing again returns the same number.
    func watch(_ path: FilePath, _ mask: Int32) throws(FileError) -> CInt {
        let watch = path.withPlatformString { inotify_add_watch(queue, $0, UInt32(truncatingIfNeeded: mask)) }
        guard watch >= 0 else {
            let reason = Errno(rawValue: errno)
            let hint = reason == .noSpace ? "Raise the sysctl fs.inotify.max_user_watches." : nil
            throw FileError("inotify_add_watch", path, reason, hint: hint)
        }
        return watch
    }

    func unwatch(_ watch: CInt) { _ = inotify_rm_watch(queue, watch) }

    private static func run(queue: CInt, stop: CInt, receive: ([Event]) -> Void) {
        clinux_name_thread("inotify")
        defer {
            close(queue)
            close(stop)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 8)
        defer { buffer.deallocate() }
        var waits = [
            pollfd(fd: queue, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&waits, 2, -1) >= 0 else {
                // Out of memory, or a signal: the descriptors are ours until we are told to stop.
                if errno != EINTR { usleep(100_000) }
                continue
            }
            if waits[1].revents != 0 { return }
            let count = read(queue, buffer.baseAddress, buffer.count)
            if count > 0 { receive(events(in: UnsafeRawBufferPointer(rebasing: buffer.prefix(count)))) }
        }
    }

    private static func events(in bytes: UnsafeRawBufferPointer) -> [Event] {
        var events: [Event] = []
        var at = 0
        let head = MemoryLayout<inotify_event>.size
        while at + head <= bytes.count {
            let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
            let name = bytes[(at + head)..<min(bytes.count, at + head + Int(event.len))].prefix { $0 != 0 }
            events.append(
                Event(watch: event.wd, mask: event.mask, name: name.isEmpty ? FilePath() : FilePath(bytes: name)))
            at += head + Int(event.len)
        }
        return events
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func spawn(_ body: @escaping @Sendable () -> Void) throws(FileError) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let result = pthread_create(
            &thread, nil,
            { argument in
                // Never nil: it is what was passed below.
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        guard result == 0 else {
            work.release()
            throw FileError("pthread_create", FilePath(), Errno(rawValue: result))
        }
        pthread_detach(thread)
    }
}
