// Reads YAML and manifests with TorchServe's own classes, so that tests can compare with them.
// Arguments: pairs of "yaml", "parameters" or "manifest" and a file. Prints a line for each.

import java.io.File;
import java.util.List;
import java.util.Map;
import org.pytorch.serve.archive.model.InvalidModelException;
import org.pytorch.serve.archive.model.Manifest;
import org.pytorch.serve.archive.model.ModelConfig;
import org.pytorch.serve.archive.utils.ArchiveUtils;

public class AsTheFrontend {
    public static void main(String[] arguments) {
        for (int at = 0; at < arguments.length; at += 2) {
            File file = new File(arguments[at + 1]);
            String shown;
            try {
                shown = arguments[at].equals("yaml") ? yaml(file)
                        : arguments[at].equals("parameters") ? parameters(file) : manifest(file);
            } catch (InvalidModelException error) {
                shown = "unreadable";
            } catch (Exception error) {
                shown = "refused";
            }
            System.out.println("> " + shown);
        }
    }

    static String yaml(File file) throws Exception {
        Map<String, Object> content = ArchiveUtils.readYamlFile(file);
        ModelConfig config = ModelConfig.build(content);
        return "read " + value(content.get("a"), 0) + " " + config.getStartupTimeout() + " "
                + config.getResponseTimeout() + " " + config.getMaxRetryTimeoutInSec() + " "
                + config.isAsyncCommunication() + " " + config.getUseVenv() + " "
                + config.getParallelLevel() + " " + value(content.get("retry"), 0);
    }

    static String parameters(File file) throws Exception {
        ModelConfig config = ModelConfig.build(ArchiveUtils.readYamlFile(file));
        int least = config.getMinWorkers();
        int most = config.getMaxWorkers();
        // As ModelServer.initModelStore and ModelManager.createModel ask.
        boolean counts = least > 0 && most >= least;
        return (counts ? least + "-" + most : "0-0") + " " + config.getBatchSize() + " "
                + Math.max(0, config.getMaxBatchDelay()) + " " + config.getJobQueueSize() + " "
                + config.getClientTimeoutInMills() + " '" + config.getDeviceType().getDeviceType()
                + "' " + config.getDeviceIds() + " " + config.isContinuousBatching() + " "
                + config.isSequenceBatching() + " " + config.isUseJobTicket();
    }

    static String manifest(File file) throws Exception {
        Manifest found = ArchiveUtils.readFile(file, Manifest.class);
        if (found == null || found.getModel() == null || found.getRuntime() == null) {
            return "refused";
        }
        Manifest.Model model = found.getModel();
        return "read " + found.getRuntime().getValue() + " " + value(model.getModelName(), 0) + " "
                + value(model.getModelVersion(), 0) + " " + value(model.getHandler(), 0) + " "
                + value(model.getConfigFile(), 0) + " " + value(model.getRequirementsFile(), 0);
    }

    static String value(Object found, int depth) {
        if (found instanceof String) {
            StringBuilder out = new StringBuilder("'");
            for (char unit : ((String) found).toCharArray()) {
                out.append(String.format("%04x", (int) unit));
            }
            return out.toString();
        }
        if (found instanceof Map && depth < 9) {
            StringBuilder out = new StringBuilder("{");
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) found).entrySet()) {
                out.append(value(entry.getKey(), depth + 1)).append(":");
                out.append(value(entry.getValue(), depth + 1)).append(",");
            }
            return out + "}";
        }
        if (found instanceof List && depth < 9) {
            StringBuilder out = new StringBuilder("[");
            for (Object item : (List<?>) found) {
                out.append(value(item, depth + 1)).append(",");
            }
            return out + "]";
        }
        boolean isPlain = found == null || found instanceof Boolean || found instanceof Integer;
        return isPlain ? String.valueOf(found) : found instanceof Double ? "double" : "other";
    }
}
