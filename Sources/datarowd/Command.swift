import ArgumentParser
import Daemon
import Foundation
import Logging
import Reporting
import Settings
import SystemPackage
import UnixSignals

/// The service: imports what is dropped into its folders, until it is told to stop.
@main
struct Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datarowd",
        abstract: "Imports what is dropped into its folders to Labelbox as data rows.",
        discussion: """
            It runs in the foreground and logs to standard error. SIGHUP has it read its configuration again. SIGTERM or SIGINT stops it: what is in hand may end within \
            20 seconds; a second signal stops it at once, which is just as safe.

            Exit codes: 0 stopped, 64 usage, 65 ledger, 70 defect, 74 input or output, 77 permission, 78 configuration.
            """,
        version: DatarowDaemon.version)

    @Option(help: "The configuration file.")
    var config = "/etc/datarowd/datarowd.yaml"

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let settings: Settings
        do {
            settings = try Settings.load(FilePath(config))
        } catch {
            report("\(error)", environment)
            throw ArgumentParser.ExitCode(Daemon.ExitCode.configuration.rawValue)
        }
        let format = settings.log.lineFormat(environment: environment, isTerminal: isatty(STDERR_FILENO) == 1)
        let level = Logger.Level(rawValue: settings.log.level.rawValue) ?? .info
        let outlet = LogOutlet(format, environment: environment)
        let threshold = LogThreshold(level)
        LoggingSystem.bootstrap { _ in LineLogHandler(outlet: outlet, threshold: threshold) }
        let logger = Logger(label: "datarowd")
        for warning in settings.warnings { logger.warning("Configuration", metadata: ["reason": "\(warning)"]) }

        let daemon = DatarowDaemon(
            settings: settings, read: { [config] in try Settings.load(FilePath(config)) }, logger: logger,
            threshold: threshold, environment: environment)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let listener = Task {
            var count = 0
            for await signal in signals {
                if signal == .sighup {
                    daemon.reload()
                    continue
                }
                count += 1
                // Whatever is in hand stands in the ledger, and is taken up again at the next start.
                if count > 1 { Foundation.exit(Daemon.ExitCode.stopped.rawValue) }
                daemon.stop()
            }
        }
        defer { listener.cancel() }
        do {
            try await daemon.run()
        } catch {
            report("\(error)", environment)
            throw ArgumentParser.ExitCode(error.code.rawValue)
        }
    }

    /// Says why it does not start, also in the journal as an error of its kind.
    private func report(_ message: String, _ environment: [String: String]) {
        let isJournal = LogOutlet.isJournal(environment)
        let outlet = LogOutlet(.journald, environment: environment)
        for line in message.split(separator: "\n") {
            if isJournal {
                outlet.write(
                    LogLine(
                        time: "", level: "error", priority: 3, message: "Not started",
                        details: [("reason", String(line))]))
                continue
            }
            FileHandle.standardError.write(Data("datarowd: \(HarmlessText.of(String(line)))\n".utf8))
        }
    }
}

extension LogSettings {
    /// How lines look where this process runs.
    fileprivate func lineFormat(environment: [String: String], isTerminal: Bool) -> LogLine.Format {
        switch format {
        case .text: .text
        case .json: .json
        case .journald: .journald
        case .auto: LogOutlet.isJournal(environment) ? .journald : isTerminal ? .text : .json
        }
    }
}
