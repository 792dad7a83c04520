internal import Control
internal import Foundation
internal import Reporting

/// Follows manifests until they have ended, and shows how they move where someone looks.
struct Follower {
    enum Manner {
        case silent
        /// Bars beneath the command's line, which stay there; lines where nothing can be redrawn.
        case beneath
        /// Bars on a screen of their own, until `q`; lines where nothing can be redrawn.
        case fullScreen
        /// What changed, one JSON object a line.
        case json
    }

    private var following: Following
    private let timeout: Duration?
    private let manner: Manner
    private var view = LiveView(
        palette: Surroundings.palette, hasBlocks: Terminal.hasUnicode(Surroundings.environment))
    private var redrawing = Redrawing()
    private var told: [StatusReport] = []
    private var notice: (text: String?, readAt: Duration)?
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    /// The daemon's own status is read no more often.
    private static let noticeAge = Duration.seconds(1)

    init(_ following: Following, timeout: Duration? = nil, manner: Manner) {
        self.following = following
        self.timeout = timeout
        self.manner = manner
        start = clock.now
    }

    /// Returns how it ended, and the manifests as they are now.
    mutating func follow() async throws -> (ExitStatus, [StatusReport]) {
        let screen = manner == .fullScreen && Surroundings.terminal.canRedraw ? try FullScreen() : nil
        // Also when looking fails: the error is to be read on the terminal as it was.
        defer { screen?.close() }
        let status: ExitStatus
        do {
            status = try await Waiting.untilEnded(
                timeout: timeout, elapsed: { elapsed },
                sleep: { duration in
                    if let screen { try await screen.pause(for: duration) } else { try await Task.sleep(for: duration) }
                },
                look: { try await following.look(now: Date()) },
                show: { try show($0, on: screen) })
        } catch is FullScreen.Left {
            status = .ok
        }
        if let screen {
            screen.close()
            // What was seen last stays to be read, or to be copied.
            try Surroundings.print(picture(told, hint: nil))
        }
        return (status, told)
    }

    private var elapsed: Duration { start.duration(to: clock.now) }

    private mutating func show(_ reports: [StatusReport], on screen: FullScreen?) throws {
        defer { told = reports }
        let terminal = Surroundings.terminal
        switch manner {
        case .silent: break
        case .json:
            for (index, report) in reports.enumerated() where index >= told.count || told[index] != report {
                try Surroundings.print(json: report)
            }
        case .fullScreen where screen != nil:
            refreshNotice()
            try screen?.show(picture(reports, hint: "q ends the view"))
        case .beneath where terminal.canRedraw:
            refreshNotice()
            let lines = picture(reports, hint: nil)
            try Terminal.write(Array(redrawing.text(for: lines, width: terminal.columns).utf8))
        case .beneath, .fullScreen:
            if let news = refreshNotice() { try Surroundings.print([VisibleText.of(news)]) }
            try Surroundings.print(view.news(reports, at: elapsed))
        }
    }

    private mutating func picture(_ reports: [StatusReport], hint: String?) -> [String] {
        let terminal = Surroundings.terminal
        return view.picture(
            reports, width: terminal.columns, height: terminal.rows, notice: notice?.text, hint: hint, at: elapsed)
    }

    /// Looks at the daemon again, if that is some time ago; returns what is new of it.
    @discardableResult
    private mutating func refreshNotice() -> String? {
        let before = notice
        if let before, elapsed - before.readAt < Self.noticeAge { return nil }
        let daemon = following.rereadingDaemon()
        let now = Overview(daemon, isAlive: daemon.map { Overview.isAlive($0.pid) } ?? false).notice
        notice = (now, elapsed)
        if now == before?.text { return nil }
        return now ?? "datarowd is running again"
    }
}
