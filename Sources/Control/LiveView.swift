internal import Ledger
public import Reporting

/// Progress bars of some manifests, redrawn in place.
public struct LiveView: Sendable {
    /// What is remembered of one manifest between two looks.
    private struct Track: Sendable {
        var estimator = ProgressEstimator()
        var rows = Meter()
        var bytes = Meter()
        var announced: String?
    }

    /// A smoothed rate of something that grows.
    struct Meter: Sendable {
        private var last: (instant: Duration, value: Double)?
        private(set) var rate: Double?

        mutating func note(_ value: Double, at instant: Duration) {
            defer { last = (instant, value) }
            guard let last, instant > last.instant else { return }
            let elapsed = (instant - last.instant) / .seconds(1)
            let now = max(0, value - last.value) / elapsed
            // A look every quarter of a second weighs 5 %: what is shown is the pace of some five seconds.
            let weight = elapsed / (elapsed + 5)
            rate = rate.map { $0 + (now - $0) * weight } ?? now
        }
    }

    private let palette: Palette
    /// Whether block characters can be shown.
    private let hasBlocks: Bool
    private var tracks: [String: Track] = [:]
    private var drawn = 0

    /// How many manifests are drawn at most; the others are counted.
    static let mostLines = 30

    public init(palette: Palette, hasBlocks: Bool) {
        self.palette = palette
        self.hasBlocks = hasBlocks
    }

    /// The text that replaces the picture before on a terminal.
    ///
    /// - Parameters:
    ///   - reports: Those to show.
    ///   - width: Columns of the terminal.
    ///   - height: Lines of the terminal.
    ///   - instant: Time on a monotonic clock.
    /// - Returns: Text with the escape sequences that move the cursor.
    public mutating func frame(_ reports: [StatusReport], width: Int, height: Int, at instant: Duration) -> String {
        for report in reports { note(report, at: instant) }
        // A picture higher than the terminal cannot be redrawn: its top has scrolled away.
        let most = max(1, min(Self.mostLines, height - 3))
        // What moves is worth more than what has ended.
        let sorted = reports.enumerated().sorted {
            ($0.element.state.isFinal ? 1 : 0, $0.offset) < ($1.element.state.isFinal ? 1 : 0, $1.offset)
        }.map(\.element)
        var lines = self.lines(Array(sorted.prefix(most)), width: width - 1)
        if reports.count > most { lines.append("… and \(reports.count - most) more") }
        let ended = reports.filter(\.state.isFinal).count
        lines.append("\(ended) of \(reports.count) ended")
        let up = drawn > 0 ? "\u{1B}[\(drawn)A\r" : ""
        drawn = lines.count
        return up + lines.map { "\u{1B}[2K\($0)\n" }.joined() + "\u{1B}[J"
    }

    /// A line for each manifest that changed noticeably, for where nothing can be redrawn.
    public mutating func news(_ reports: [StatusReport], at instant: Duration) -> [String] {
        reports.compactMap { report in
            note(report, at: instant)
            let tenth = Int(report.progress * 10)
            let mark = "\(report.state.rawValue) \(report.state == .importing ? tenth : 0)"
            guard tracks[key(report)]?.announced != mark else { return nil }
            tracks[key(report)]?.announced = mark
            return "\(report.watch):\(VisibleText.of(report.manifest)) \(report.state.rawValue) "
                + "\(StatusText.percent(report.progress)) \(VisibleText.of(report.stateReason))"
        }
    }

    private func key(_ report: StatusReport) -> String { report.id ?? "\(report.watch):\(report.manifest)" }

    private mutating func note(_ report: StatusReport, at instant: Duration) {
        var track = tracks[key(report)] ?? Track()
        track.estimator.observe(ProgressWork(rows: report.rows, media: report.media), at: instant)
        track.rows.note(Double(report.rows.ended), at: instant)
        track.bytes.note(Double(report.media.uploadedBytes), at: instant)
        tracks[key(report)] = track
    }

    /// Names, bars and figures, each in a column of its own.
    private func lines(_ reports: [StatusReport], width: Int) -> [String] {
        let names = reports.map { "\($0.watch):\(VisibleText.of($0.manifest))" }
        let tails = reports.map(tail)
        let tailWidth = min(tails.reduce(0) { max($0, VisibleText.width($1)) }, max(1, width * 2 / 3))
        let bar = max(0, min(24, (width - tailWidth) / 2))
        let longest = names.reduce(0) { max($0, VisibleText.width($1)) }
        let nameWidth = max(1, min(longest, width - tailWidth - bar - 1))
        return reports.indices.map { index in
            let name = VisibleText.fit(names[index], columns: nameWidth, keepsEnd: true)
            let space = String(repeating: " ", count: nameWidth - VisibleText.width(name) + 1)
            let tail = VisibleText.fit(tails[index], columns: max(1, width - nameWidth - 1 - bar))
            return name + space + palette.state(self.bar(reports[index].progress, width: bar), reports[index].state)
                + tail
        }
    }

    /// How far it is, in figures.
    private func tail(_ report: StatusReport) -> String {
        let track = tracks[key(report)]
        var facts: [String] = []
        if report.rows.total > 0 { facts.append("\(report.rows.ended)/\(report.rows.total) rows") }
        if !report.state.isFinal {
            if let rate = track?.bytes.rate, rate >= 1 { facts.append("\(ByteCount.text(Int64(rate)))/s") }
            if let rate = track?.rows.rate, rate >= 0.5 { facts.append("\(Int(rate.rounded())) rows/s") }
            if let eta = track?.estimator.eta(ProgressWork(rows: report.rows, media: report.media)) {
                facts.append("\(AgeText.of(Double(eta))) left")
            }
        }
        let bad = report.rows.failed + report.rows.rejected
        if bad > 0 { facts.append("\(bad) bad") }
        let percent = StatusText.percent(report.progress)
        return " \(String(repeating: " ", count: max(0, 5 - percent.count)))\(percent) "
            + "\(report.state.rawValue)\(facts.isEmpty ? "" : ", " + facts.joined(separator: ", "))"
    }

    private func bar(_ fraction: Double, width: Int) -> String {
        let filled = Int((fraction * Double(width)).rounded(.down))
        let (full, empty) = hasBlocks ? ("█", "░") : ("#", ".")
        return String(repeating: full, count: filled) + String(repeating: empty, count: width - filled)
    }
}
