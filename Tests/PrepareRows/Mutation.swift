import DataRows
import Foundation
import Importing

/// A mistake that preparation could make; each must make the comparison fail.
enum Mutation: String, CaseIterable {
    case dropGlobalKey = "drop-global-key"
    case dropExternalID = "drop-external-id"
    case swapRows = "swap-rows"
    case loseRow = "lose-row"
    case doubleRow = "double-row"
    case lowercaseMediaType = "lowercase-media-type"
    case loseAttachment = "lose-attachment"
    case renameAttachment = "rename-attachment"
    case expandNumber = "expand-number"
    case roundNumber = "round-number"
    case loseOption = "lose-option"
    case shiftDate = "shift-date"
    case wrongIDType = "wrong-id-type"
    case loseMatch = "lose-match"
    case mangleText = "mangle-text"
    case wrongFile = "wrong-file"
    case wrongContentType = "wrong-content-type"
    case acceptInvalid = "accept-invalid"
    case rejectValid = "reject-valid"
    case refuseManifest = "refuse-manifest"

    func apply(to outcome: inout Rehearsal.Outcome) {
        switch self {
        case .swapRows:
            rows(&outcome) { rows in
                if rows.count > 1 { rows.swapAt(0, 1) }
            }
        case .loseRow:
            guard outcome.sent.count > 1 else { return }
            outcome.sent.removeLast()
            rows(&outcome) { _ in }
        case .doubleRow:
            guard let last = outcome.sent.last else { return }
            outcome.sent.append(last)
            rows(&outcome) { _ in }
        case .acceptInvalid: outcome.rejected = []
        case .rejectValid:
            guard let row = outcome.sent.popLast()?.row else { return }
            outcome.rejected.append(RowProblem(row: row, byteOffset: 0, pointer: "", code: "mutated", message: ""))
            rows(&outcome) { _ in }
        case .refuseManifest:
            outcome.refusal = ("mutated", "")
            outcome.sent = []
            outcome.chunks = []
        case .wrongFile:
            for index in outcome.uploads.indices { outcome.uploads[index].sha256[0] ^= 1 }
        case .wrongContentType:
            for index in outcome.uploads.indices { outcome.uploads[index].contentType = "application/x-mutated" }
        default:
            rows(&outcome) { rows in
                for index in rows.indices { rows[index] = mutated(rows[index]) }
            }
        }
    }

    /// Takes the chunks apart, and puts them together again.
    private func rows(_ outcome: inout Rehearsal.Outcome, _ change: (inout [String]) -> Void) {
        for number in outcome.chunks.indices {
            let chunk = outcome.chunks[number]
            var rows = outcome.sent.filter { $0.chunk == number }.map {
                String(decoding: chunk[$0.place], as: UTF8.self)
            }
            change(&rows)
            outcome.chunks[number] = Array("[\(rows.joined(separator: ","))]".utf8)
        }
    }

    private func mutated(_ row: String) -> String {
        func replace(_ pattern: String, _ replacement: String) -> String {
            row.replacingOccurrences(of: pattern, with: replacement, options: .regularExpression)
        }
        switch self {
        case .dropGlobalKey: return replace(#","global_key":\s*"[^"\\]*""#, "")
        case .dropExternalID: return replace(#","external_id":\s*"[^"\\]*""#, "")
        case .lowercaseMediaType: return replace(#""media_type":(\s*)"IMAGE""#, #""media_type":$1"image""#)
        case .loseAttachment: return replace(#""attachments":(\s*)\[\s*\{[^{}]*\},?"#, #""attachments":$1["#)
        case .renameAttachment: return replace(#""type":(\s*)"HTML""#, #""type":$1"html""#)
        case .expandNumber: return replace(#"([:\[, ])1e5([,\]} ])"#, "$1100000$2")
        case .roundNumber: return replace(#"([:\[, ])(\d+\.\d{3})\d+([,\]} ])"#, "$1$2$3")
        case .loseOption: return replace(#","value":\{\}\},\{"schemaId":"[^"]*","value":\{\}\}"#, #","value":{}}"#)
        case .shiftDate: return replace(#""value":"(\d{4}-\d\d-\d\dT\d\d:\d\d:)\d\dZ""#, #""value":"$159Z""#)
        case .wrongIDType: return row.replacingOccurrences(of: #"{"id":{"type":"ID""#, with: #"{"id":{"type":"GKEY""#)
        case .loseMatch:
            return replace(#"^\{"id":\{"type":"GKEY","value":[^}]*\}"#, #"{"id":{"type":"AUTO","value":""}"#)
        case .mangleText: return replace(#"(\\u[0-9a-fA-F]{4})"#, "?")
        default: return row
        }
    }
}
