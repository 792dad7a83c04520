public import Reporting

/// What one look of the doctor found.
public struct Finding: Sendable, Hashable {
    /// How bad it is.
    public enum Verdict: String, Sendable, CaseIterable, Comparable {
        case ok, warning, problem

        public static func < (one: Verdict, other: Verdict) -> Bool { one.rank < other.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// A stable word for programs, such as `api_key`.
    public var check: String
    public var verdict: Verdict
    /// What was looked at, where a check has several: a watch, a folder.
    public var subject: String
    /// What was found.
    public var what: String
    /// What to do; empty where all is well.
    public var hint: String

    public init(_ check: String, _ verdict: Verdict, subject: String = "", _ what: String, hint: String = "") {
        self.check = check
        self.verdict = verdict
        self.subject = subject
        self.what = what
        self.hint = hint
    }
}

extension Finding: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("check", check)
            json.member("verdict", verdict.rawValue)
            json.member("subject", subject.isEmpty ? nil : subject)
            json.member("what", what)
            json.member("hint", hint.isEmpty ? nil : hint)
        }
    }
}

/// All that the doctor found.
public struct DoctorReport: Sendable, JSONWritable {
    /// Written in each report, so that a reader knows what it reads.
    public static let schema = "datarowd.doctor/1"

    public var findings: [Finding]
    public var isLedgerDamaged: Bool

    public var verdict: Finding.Verdict { findings.map(\.verdict).max() ?? .ok }

    /// How the command ends.
    public var status: ExitStatus {
        if isLedgerDamaged { return .data }
        return switch verdict {
        case .ok: .ok
        case .warning: .withErrors
        case .problem: .failed
        }
    }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("schema", Self.schema)
            json.member("verdict", verdict.rawValue)
            json.member("ledger_damaged", isLedgerDamaged)
            json.member("findings", findings)
        }
    }

    /// For people: one line a finding, and beneath it what to do.
    public func lines(palette: Palette) -> [String] {
        let width = findings.map(\.check.count).max() ?? 0
        var lines: [String] = []
        for finding in findings {
            let name = finding.check + String(repeating: " ", count: width - finding.check.count)
            let subject = finding.subject.isEmpty ? "" : "\(VisibleText.of(finding.subject)): "
            let verdict =
                switch finding.verdict {
                case .ok: palette.good("ok     ")
                case .warning: palette.bold("warning")
                case .problem: palette.bad("problem")
                }
            lines.append("\(verdict)  \(name)  \(subject)\(VisibleText.of(finding.what))")
            if !finding.hint.isEmpty {
                lines.append(String(repeating: " ", count: 11 + width) + "→ " + VisibleText.of(finding.hint))
            }
        }
        let counts = Finding.Verdict.allCases.map { verdict in
            findings.count { $0.verdict == verdict }
        }
        lines.append("")
        lines.append("\(counts[0]) ok, \(counts[1]) warnings, \(counts[2]) problems")
        return lines
    }
}
