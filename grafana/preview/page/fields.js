// Processes frames as Grafana does before a panel renders them: transformations, then field options.
import {
  createTheme,
  getDisplayProcessor,
  getFieldDisplayName,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { cloneDeep, set } from 'lodash';
import { firstValueFrom } from 'rxjs';

const { mergeTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer } = standardTransformers;

standardTransformersRegistry.setInit(() =>
  [mergeTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer].map((transformer) => ({
    id: transformer.id,
    name: transformer.name,
    transformation: async () => transformer,
  })),
);

export async function applyTransformations(panel, frames) {
  if (!panel.transformations?.length || !frames.some((frame) => frame.fields.length)) {
    return frames;
  }
  return firstValueFrom(transformDataFrame(panel.transformations, frames));
}

const MATCHERS = {
  byName: (name, field, frame, frames) => getFieldDisplayName(field, frame, frames) === name || field.name === name,
  byFrameRefID: (refId, _, frame) => frame.refId === refId,
};

// The range of all frames, since the bars of a panel share one scale.
function valueRange(frames) {
  const values = frames.flatMap((frame) => frame.fields.filter(({ type }) => type === 'number').flatMap((field) => field.values));
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { min, max, delta: max - min };
}

export function applyFieldOptions(panel, frames, themeName) {
  const theme = createTheme({ colors: { mode: themeName } });
  const { defaults, overrides } = panel.fieldConfig;
  const range = valueRange(frames);
  let seriesIndex = 0;
  return frames.map((frame, frameIndex) => ({
    ...frame,
    fields: frame.fields.map((field, fieldIndex) => {
      const numeric = field.type === 'number';
      const config = { ...cloneDeep(defaults), ...cloneDeep(field.config), custom: cloneDeep(defaults.custom) };
      for (const { matcher, properties } of overrides) {
        if (MATCHERS[matcher.id](matcher.options, field, frame, frames)) {
          properties.forEach(({ id, value }) => set(config, id, value));
        }
      }
      const state = { ...field.state, seriesIndex: numeric ? seriesIndex : undefined, origin: { frameIndex, fieldIndex }, range: numeric ? range : undefined };
      const displayed = { ...field, config, state };
      seriesIndex += numeric ? 1 : 0;
      displayed.display = getDisplayProcessor({ field: displayed, theme, timeZone: 'browser' });
      displayed.getLinks = () => (config.links ?? []).map(({ title, url }) => ({ title, href: url, target: '_self', origin: displayed }));
      return displayed;
    }),
  }));
}
