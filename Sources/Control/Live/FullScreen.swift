internal import Dispatch
internal import Glibc
internal import Locking

/// The terminal while a picture fills it: a screen of its own, without cursor, echo and lines that wrap.
///
/// However the view ends, by `q`, by a signal or because all is told, the terminal is as it was before; while the program is
/// suspended (Ctrl-Z), too.
public final class FullScreen {
    /// Somebody typed `q`.
    public struct Left: Error {}

    private let terminal: TakenTerminal
    /// Kept, since they listen for as long as they live.
    private var sources: [any DispatchSourceProtocol] = []
    private let queue = DispatchQueue(label: "terminal")

    /// Signals that end a program.
    private static let ends = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// Takes the terminal.
    ///
    /// - Throws: ``ControlError``.
    public init() throws(ControlError) {
        let terminal = TakenTerminal()
        self.terminal = terminal
        for number in Self.ends { listen(to: number) { terminal.end(by: number) } }
        listen(to: SIGTSTP) { terminal.suspend() }
        // Also after a SIGSTOP, of which nobody was told.
        listen(to: SIGCONT) { terminal.takeAgain() }
        listen(to: SIGWINCH) { terminal.wake() }
        try terminal.take()
        if isatty(STDIN_FILENO) == 1 { listenToKeys() }
    }

    deinit { close() }

    /// Shows these lines and nothing else.
    public func show(_ lines: [String]) throws(ControlError) { try terminal.show(lines) }

    /// Lets so much time pass, or less when something happened that is to be shown.
    ///
    /// - Throws: ``Left`` once somebody typed `q`.
    public func pause(for duration: Duration) async throws {
        if await terminal.pause(for: duration) { throw Left() }
    }

    /// Gives the terminal back, as it was.
    public func close() {
        for source in sources { source.cancel() }
        sources = []
        terminal.giveBack()
    }

    private func listen(to number: CInt, _ heard: @escaping @Sendable () -> Void) {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: heard)
        source.resume()
        sources.append(source)
    }

    private func listenToKeys() {
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: queue)
        let terminal = terminal
        source.setEventHandler { terminal.readKeys() }
        source.resume()
        sources.append(source)
    }
}

/// The terminal's side of it, which signals and keys reach from another thread.
private final class TakenTerminal: Sendable {
    private struct State {
        /// How the terminal was; `nil` while it is so.
        var before: termios?
        var isLeft = false
        var sleeper: Task<Void, Never>?
    }

    private let state = Locked(State())

    private static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[H\u{1B}[2J"
    private static let leave = "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    func take() throws(ControlError) {
        var before = termios()
        guard tcgetattr(STDOUT_FILENO, &before) == 0 else {
            throw ControlError(
                "terminal", why: String(cString: strerror(errno)), hint: "send the output to a file or a pipe",
                status: .io)
        }
        var now = before
        // Keys one by one, and not shown; Ctrl-C and Ctrl-Z stay what they are.
        now.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDOUT_FILENO, TCSANOW, &now)
        let saved = before
        try state.withLock { state throws(ControlError) in
            state.before = saved
            try Terminal.write(Array(Self.enter.utf8))
        }
    }

    func giveBack() {
        state.withLock { state in
            guard var before = state.before else { return }
            state.before = nil
            // A terminal that is gone needs nothing back.
            try? Terminal.write(Array(Self.leave.utf8))
            tcsetattr(STDOUT_FILENO, TCSANOW, &before)
        }
    }

    func show(_ lines: [String]) throws(ControlError) {
        let text = "\u{1B}[H" + lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
        // Under the lock: nothing may be drawn any more once the terminal was given back.
        try state.withLock { state throws(ControlError) in
            if state.before != nil { try Terminal.write(Array(text.utf8)) }
        }
    }

    /// Returns whether somebody wants to leave.
    func pause(for duration: Duration) async -> Bool {
        // Cancelled where it is to end early.
        let sleeper = Task { _ = try? await Task.sleep(for: duration) }
        let isLeft = state.withLock { state in
            state.sleeper = sleeper
            return state.isLeft
        }
        if isLeft { return true }
        await sleeper.value
        return state.withLock { $0.isLeft }
    }

    // MARK: On the thread of signals and keys

    func wake() { state.withLock { $0.sleeper }?.cancel() }

    func readKeys() {
        var keys = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &keys, keys.count)
        guard count > 0 else { return }
        if keys.prefix(count).contains(where: { $0 == UInt8(ascii: "q") || $0 == UInt8(ascii: "Q") }) {
            state.withLock { $0.isLeft = true }
        }
        // Any other key draws anew, such as Ctrl-L.
        wake()
    }

    /// Ends as the signal has programs end, with the terminal given back before.
    func end(by number: CInt) {
        giveBack()
        signal(number, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
    }

    func suspend() {
        giveBack()
        // SIGTSTP is listened to, and so stops nothing. It goes on here with SIGCONT, which is listened to as well.
        kill(getpid(), SIGSTOP)
    }

    func takeAgain() {
        giveBack()
        // Without a terminal nothing is drawn, and the command goes on to its end.
        try? take()
        wake()
    }
}
