import Control
import NIOHTTP1

/// What one request gets back: a status, and a body that is JSON unless it is metrics.
struct Answer: Equatable, Sendable {
    var status: HTTPResponseStatus
    var contentType: String?
    var body: [UInt8]
    /// For 405 and OPTIONS: the methods that work on this path.
    var allow: String?

    static func json(_ value: some Encodable) -> Answer {
        do throws(ControlError) {
            return Answer(status: .ok, contentType: "application/json", body: try ControlJSON.encode(value))
        } catch {
            return .refusal(error)
        }
    }

    /// Prometheus text exposition format 0.0.4.
    static func metrics(_ text: String) -> Answer {
        Answer(status: .ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.utf8))
    }

    /// The error as JSON, with the status its code asks for.
    static func refusal(_ error: ControlError) -> Answer {
        refusal(error, status: status(of: error.code))
    }

    /// For what HTTP has a finer status for than ControlError has a code.
    static func refusal(_ code: ControlError.Code, _ message: String, status: HTTPResponseStatus, allow: String? = nil) -> Answer {
        var answer = refusal(ControlError(code, message), status: status)
        answer.allow = allow
        return answer
    }

    static func options(_ allow: String) -> Answer { Answer(status: .noContent, contentType: nil, body: [], allow: allow) }

    private static func refusal(_ error: ControlError, status: HTTPResponseStatus) -> Answer {
        // A ControlError is a code and a text; were it not to encode, the status alone still says what happened.
        let body = (try? ControlJSON.encode(error)) ?? []
        return Answer(status: status, contentType: "application/json", body: body)
    }

    private static func status(of code: ControlError.Code) -> HTTPResponseStatus {
        switch code {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .conflict: .conflict
        case .readOnly: .forbidden
        case .unreachable: .serviceUnavailable
        case .failed: .internalServerError
        }
    }
}
