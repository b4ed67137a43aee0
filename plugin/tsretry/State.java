package tsretry;

import java.util.List;

/** Names the state of a model, by the rule of ts_retry_ext/snapshot/state.py. Reads nothing itself. */
final class State {
    static final String SERVING = "serving";
    static final String STARTING = "starting";
    static final String RECOVERING = "recovering";
    static final String WAITING = "waiting";
    static final String HALTED = "halted";
    static final String RETIRED = "retired";
    static final String NOT_REGISTERED = "not-registered";
    static final String UNKNOWN = "unknown";

    private State() {}

    /** Returns the state; {@code marker} is null where the model has none. */
    static String of(SeenModel model, Marker marker) {
        long held = marker == null ? 0 : model.workers.stream().filter(w -> isHeld(w, marker)).count();
        if (marker != null && marker.holds() && held == model.workers.size()) {
            if (marker.action().equals("retire") && model.minWorkers == 0) {
                return RETIRED;
            }
            List<String> ends = marker.waitsFor();
            return ends.contains("time") || ends.contains("resume") ? WAITING : HALTED;
        }
        if (model.workers.isEmpty()) {
            return UNKNOWN;
        }
        long ready = model.workers.stream().filter(w -> w.isReady && !(marker != null && isHeld(w, marker))).count();
        if (ready >= Math.max(1, model.minWorkers - held)) {
            return SERVING;
        }
        if (marker != null && !marker.holds()) {
            return ready > 0 ? SERVING : WAITING;
        }
        return model.workers.stream().anyMatch(w -> w.hasFailed) ? RECOVERING : STARTING;
    }

    /** Tells whether nothing loads a model in that state for now. */
    static boolean isDown(String state) {
        return state.equals(HALTED) || state.equals(WAITING) || state.equals(RETIRED) || state.equals(NOT_REGISTERED);
    }

    private static boolean isHeld(SeenModel.Worker worker, Marker marker) {
        if (!marker.holds()) {
            return false;
        }
        List<String> only = marker.only();
        if (only != null) {
            return only.stream().anyMatch(worker::listensAt);
        }
        return !worker.isReady || marker.holders.contains(worker.pid);
    }
}
