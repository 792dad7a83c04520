internal import Ledger
internal import SystemPackage

/// Looks at the ledger, from end to end.
struct LedgerCheckup {
    let state: FilePath

    private static let rebuild =
        "stop the daemon, read docs/repair.md, and make a new one: datarowctl ledger rebuild --dry-run tells what that would do"

    func findings() async -> (findings: [Finding], isDamaged: Bool) {
        let path = state.appending("ledger.sqlite")
        let found: LedgerExamination
        do throws(LedgerError) { found = try await LedgerExamination.of(path) } catch {
            if case .unknown = error {
                return (
                    [
                        Finding(
                            "ledger", .warning, "there is none at \(path)",
                            hint: "the daemon makes it at its first start; if it ran before, give the right --config")
                    ], false
                )
            }
            return (
                [
                    Finding(
                        "ledger", .problem, "\(error)",
                        hint: "run datarowctl as a user of the daemon's group, or try again")
                ], false
            )
        }
        if !found.damage.isEmpty {
            return (found.damage.map { Finding("ledger", .problem, subject: "\(path)", $0, hint: Self.rebuild) }, true)
        }
        if let version = found.version {
            return (
                [
                    Finding(
                        "ledger", .problem, subject: "\(path)", version,
                        hint: "install that version, or restore the backup that it made before it migrated")
                ], true
            )
        }
        return (whole(found), false)
    }

    private func whole(_ found: LedgerExamination) -> [Finding] {
        var findings = [
            Finding(
                "ledger", .ok,
                "whole, each page as it was written; \(found.imports) imports, \(found.unfinished) of them not finished"
            )
        ]
        findings += found.contradictions.map {
            Finding(
                "ledger_sums", .problem, $0,
                hint: "report this as a defect, with a copy of the ledger; datarowctl ledger rebuild mends it")
        }
        if found.contradictions.isEmpty {
            findings.append(Finding("ledger_sums", .ok, "what it counts is what there is"))
        }
        findings += found.missingManifests.map {
            Finding(
                "claims", .problem, subject: "\($0)", "an unfinished import's manifest is not where it was put",
                hint: "bring it back; without it the import fails")
        }
        if found.missingManifests.isEmpty {
            findings.append(Finding("claims", .ok, "each unfinished import's manifest is where it was put"))
        }
        let (looked, gone) = found.archived
        findings.append(
            Finding(
                "archive", .ok,
                gone == 0
                    ? "the latest \(looked) archived manifests are there"
                    : "\(gone) of the latest \(looked) archived manifests were taken away since, which does no harm"))
        return findings
    }
}
