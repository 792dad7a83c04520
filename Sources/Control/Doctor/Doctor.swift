public import Foundation
internal import Ledger
public import Settings
public import SystemPackage

/// Looks at everything that the daemon needs, and says of each thing how it is, why, and what to do.
///
/// It changes nothing, and works while the daemon runs and while it does not.
public struct Doctor: Sendable {
    private let settings: Settings
    private let configuration: FilePath
    private let environment: [String: String]
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - settings: The configuration.
    ///   - configuration: The file that it was read from.
    ///   - environment: Of the process.
    ///   - now: The clock that is compared with the server's.
    public init(
        settings: Settings, configuration: FilePath, environment: [String: String], now: @escaping @Sendable () -> Date
    ) {
        self.settings = settings
        self.configuration = configuration
        self.environment = environment
        self.now = now
    }

    /// Looks at everything.
    ///
    /// - Parameters:
    ///   - isOffline: whether the network is left out.
    ///   - session: speaks with Labelbox; nil where there is no key to do it with.
    /// - Returns: what was found.
    public func examine(isOffline: Bool, _ session: RemoteSession?) async -> DoctorReport {
        var findings = FolderCheckup(settings: settings, configuration: configuration).findings()
        let account = AccountCheckup(settings: settings.labelbox, environment: environment, now: now)
        findings.append(account.key())
        if !isOffline { findings += await account.network(session) }
        let (holder, isRunning) = lockHolder()
        findings.append(holder)
        findings += RequestCheckup(state: settings.stateDirectory, isRunning: isRunning, now: now()).findings()
        let (ledger, isDamaged) = await LedgerCheckup(state: settings.stateDirectory).findings()
        return DoctorReport(findings: findings + ledger, isLedgerDamaged: isDamaged)
    }

    /// Who holds the state directory; that nobody does is no trouble while the daemon is meant to be down.
    private func lockHolder() -> (Finding, isRunning: Bool) {
        let path = settings.stateDirectory.appending("lock")
        switch LockLook.at(path) {
        case .free:
            let finding = Finding(
                "instance", .warning, "no datarowd runs with \(settings.stateDirectory)",
                hint: "start it, unless it is meant to be down: systemctl start datarowd")
            return (finding, false)
        case .held(let pid):
            let what = pid.map { "datarowd runs as process \($0)" } ?? "a process holds \(path)"
            return (Finding("instance", .ok, what), true)
        case .unknown(let why):
            let finding = Finding(
                "instance", .warning, "\(path) cannot be looked at: \(why)",
                hint: "run datarowctl as a user of the daemon's group")
            return (finding, false)
        }
    }
}
