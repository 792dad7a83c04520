internal import Locking
internal import Logging
internal import Metering
internal import Reporting
internal import Settings
internal import Web

/// The read-only door: keeps the status where people and Prometheus can ask for it.
final class StatusDoor: Sendable {
    private let status: CurrentStatus
    private let logger: Logger
    private let troubled: @Sendable (String?) -> Void
    private let keeper = Locked<Task<Void, Never>?>(nil)

    /// - Parameters:
    ///   - status: What is told.
    ///   - logger: For who listens, and for what goes wrong.
    ///   - troubled: Told why nobody can ask, and with nil that they can again.
    init(_ status: CurrentStatus, logger: Logger, troubled: @escaping @Sendable (String?) -> Void) {
        self.status = status
        self.logger = logger
        self.troubled = troubled
    }

    /// Begins to listen, if an address is given, and goes on until ``close()``.
    ///
    /// - Throws: ``StartFailure`` when that is not possible now; what goes wrong later is told in the daemon's state.
    func open(_ address: ListenAddress?) async throws(StartFailure) {
        guard let address else { return }
        let server: WebServer
        do throws(WebError) { server = try await listen(address) } catch {
            throw StartFailure(error.kind == .notPermitted ? .permission : .inputOutput, error.description)
        }
        logger.notice("Listening", metadata: ["address": "\(server.address)"])
        if server.isPublic {
            logger.warning(
                "Anybody who reaches the status page may read it",
                metadata: [
                    "address": "\(server.address)",
                    "reason":
                        "http.listen is no loopback address, and there is no password; names of files and errors are shown",
                ])
        }
        let keeping = DoorKeeping(
            address: "\(address)", clock: ContinuousClock(),
            listen: { [self] in OpenDoor(try await listen(address)) }, tell: { [self] in tell($0) })
        keeper.withLock { $0 = Task { await keeping.keep(OpenDoor(server)) } }
    }

    /// Lets nobody ask any more.
    func close() async {
        let task = keeper.withLock { keeper in
            defer { keeper = nil }
            return keeper
        }
        task?.cancel()
        await task?.value
    }

    private func tell(_ trouble: String?) {
        if let trouble {
            logger.error("Not listening", metadata: ["reason": "\(trouble)"])
        } else {
            logger.notice("Listening again")
        }
        troubled(trouble)
    }

    private func listen(_ address: ListenAddress) async throws(WebError) -> WebServer {
        let status = status
        return try await WebServer.listen(host: address.host, port: address.port) { resource in
            switch resource {
            case .page: Content(type: "text/html; charset=utf-8", body: StatusPage.document)
            case .health:
                await Self.health(status)
            case .metrics: Content(type: PrometheusText.contentType, body: await status.metrics())
            case .status: Content(type: "application/json", body: await status.status())
            case .pageDocument: Content(type: "application/json", body: await status.pageDocument())
            case .history: Content(type: "application/json", body: status.history())
            }
        }
    }

    private static func health(_ status: CurrentStatus) async -> Content {
        let (isWell, line) = await status.health()
        return Content(type: "text/plain; charset=utf-8", body: Array("\(line)\n".utf8), isUnavailable: !isWell)
    }
}

extension OpenDoor {
    fileprivate init(_ server: WebServer) {
        self.init(run: { await server.run() }, stop: { server.stop() })
    }
}
