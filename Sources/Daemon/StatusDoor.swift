internal import Locking
internal import Logging
internal import Metering
internal import Reporting
internal import Settings
internal import Web

/// The read-only door: keeps the status where people and Prometheus can ask for it.
final class StatusDoor: Sendable {
    private let status: CurrentStatus
    private let view: DaemonView
    private let logger: Logger
    private let changed: @Sendable () -> Void
    private let keeper = Locked<Task<Void, Never>?>(nil)

    init(_ status: CurrentStatus, view: DaemonView, logger: Logger, changed: @escaping @Sendable () -> Void) {
        self.status = status
        self.view = view
        self.logger = logger
        self.changed = changed
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
        keeper.withLock { [self] in $0 = Task { await keep(server, at: address) } }
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

    /// Listens again when the port was lost, until cancelled.
    private func keep(_ first: WebServer, at address: ListenAddress) async {
        var server: WebServer? = first
        var wait = Duration.seconds(1)
        while true {
            if let current = server {
                await withTaskCancellationHandler {
                    await current.run()
                } onCancel: {
                    current.stop()
                }
                server = nil
                if Task.isCancelled { return }
                tell("the status page's port \(address) was lost; it is tried again")
                wait = .seconds(1)
            }
            // Only while the port is lost; nothing tells when it is free again.
            do { try await Task.sleep(for: wait) } catch { return }
            do throws(WebError) {
                server = try await listen(address)
                tell(nil)
            } catch {
                tell("the status page cannot be reached: \(error.description)")
                wait = min(wait * 2, .seconds(60))
            }
        }
    }

    private func tell(_ trouble: String?) {
        if let trouble {
            logger.error("Not listening", metadata: ["reason": "\(trouble)"])
        } else {
            logger.notice("Listening again")
        }
        view.doorIsTroubled(trouble)
        changed()
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
