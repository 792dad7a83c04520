internal import Account
internal import Foundation
public import LabelboxAPI
internal import Pacing
internal import Reporting
internal import Settings
internal import SystemPackage
internal import Transport

/// A command's way to Labelbox: the daemon's key, address, pace and judgement, with a person's patience.
public struct RemoteSession: Sendable {
    public let client: LabelboxClient
    private let connection: AccountConnection

    /// Sets everything up; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - place: Where the configuration is. Where there is none in the usual place, its defaults hold.
    ///   - environment: Of the process.
    ///   - patience: How long trouble with the server or the network is waited out.
    ///   - say: Told of what is waited for, a line at a time.
    /// - Throws: ``ControlError``.
    public init(
        _ place: Place, environment: [String: String], patience: Duration, say: @escaping @Sendable (String) -> Void
    ) throws(ControlError) {
        let settings = try place.settingsIfAny()
        let labelbox = settings?.labelbox ?? LabelboxSettings()
        do throws(APIKey.Problem) {
            for warning in try APIKey.find(file: labelbox.apiKeyFile, environment: environment).warnings {
                say(warning)
            }
        } catch {
            throw ControlError("API key", why: error.description, hint: "", status: .noPermission)
        }
        let clock = ContinuousClock()
        let time = Ticker(clock)
        let rules = PacingRules(
            requestsPerMinute: labelbox.requestsPerMinute, maximumConnections: labelbox.maxConnections)
        let statusFile = (try? place.stateDirectory()).map { StatusLayout(stateDirectory: $0).daemonFile }
        do throws(TransportError) {
            connection = try AccountConnection(
                labelbox, environment: environment, userAgent: "datarowctl/\(Release.version)", clock: clock,
                unixTime: { Int64(Date().timeIntervalSince1970) }
            ) { pacer in
                let paced = PacedRequests(pacer: pacer, patience: .limited(patience, time: time)) {
                    _, error, isRetried in
                    guard isRetried else { return }
                    let pause = pacer.snapshot().pausedFor.map { " in \(AgeText.of(($0 / .seconds(1)).rounded(.up)))" }
                    say("\(error.operation): \(VisibleText.of(error.message)): trying again\(pause ?? "")")
                }
                return SharedRequests(gate: paced, pacer: pacer, rules: rules, time: time) {
                    statusFile.flatMap { Self.usage($0) }
                }
            }
        } catch {
            throw ControlError(
                "transport", why: "\(error)", hint: "check labelbox.ca_file and labelbox.proxy", status: .configuration)
        }
        client = connection.client
    }

    /// Ends all transfers.
    public func close() async { await connection.shutdown() }

    private static func usage(_ file: FilePath) -> SharedRequests.Usage? {
        // Without a status, or with one that may not be read, the command has the budget for itself; a 429 corrects it.
        guard let bytes = (try? StatusFiles().read(file, limit: 64 << 20)) ?? nil,
            let daemon = try? DaemonDocument(reading: bytes), Overview.isAlive(daemon.pid),
            let written = Timestamp.date(daemon.updatedAt)
        else { return nil }
        return SharedRequests.Usage(
            used: daemon.rateBudget.used, age: .seconds(max(0, Date().timeIntervalSince(written))))
    }
}
