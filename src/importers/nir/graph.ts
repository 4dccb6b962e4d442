// A NIR graph made flat and ordered: nested graphs spliced in, repeated edges dropped, and edges that close a cycle marked: what flows along them
// arrives one time step later. Each cycle must pass through a unit that spikes, or a Delay.

import { unsupported } from '../../errors.js'
import { isNirGraph, type NirGraph, type NirNode } from '../../formats/nir.js'

export interface FlatNode extends NirNode {
  readonly name: string
  /** names of the nodes in front whose output arrives in the same step */
  readonly sources: readonly string[]
  /** names of those whose output arrives one step later */
  readonly delayed: readonly string[]
}

type Edge = readonly [string, string]

const SPIKING = new Set(['LIF', 'IF', 'CubaLIF', 'Delay'])

/** Nodes of nested graphs under "outer/inner" names; their Input and Output nodes stay and pass on what they get. */
const splice = (graph: NirGraph, prefix: string, nodes: Map<string, NirNode>, edges: Edge[]): void => {
  const enter = (name: string): string => (isNirGraph(graph.nodes[name] as NirNode) ? portOf(graph.nodes[name] as unknown as NirGraph, name, 'Input') : name)
  const leave = (name: string): string => (isNirGraph(graph.nodes[name] as NirNode) ? portOf(graph.nodes[name] as unknown as NirGraph, name, 'Output') : name)
  for (const [name, node] of Object.entries(graph.nodes)) {
    if (isNirGraph(node)) splice(node, `${prefix}${name}/`, nodes, edges)
    else nodes.set(prefix + name, node)
  }
  for (const [from, to] of graph.edges) {
    for (const end of [from, to]) {
      if (!Object.hasOwn(graph.nodes, end))
        throw unsupported(`an edge names "${prefix}${end}", which is not a node of the graph.`, 'Write the file again with the tool that made it.')
    }
    edges.push([prefix + leave(from), prefix + enter(to)])
  }
}

const portOf = (graph: NirGraph, name: string, type: 'Input' | 'Output'): string => {
  const ports = Object.entries(graph.nodes).filter(([, node]) => node.type === type)
  if (ports.length !== 1)
    throw unsupported(`the nested graph "${name}" has ${ports.length} nodes of type ${type}.`, 'Nested graphs with one input and one output can be read.')
  return `${name}/${ports[0]?.[0]}`
}

/** Strongly connected components (Tarjan 1972), as a number for each node; iterative, so that long chains do not exhaust the stack. */
const components = (names: readonly string[], next: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> => {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const component = new Map<string, number>()
  const stack: string[] = []
  let found = 0
  for (const root of names) {
    if (index.has(root)) continue
    const work: { name: string; at: number }[] = [{ name: root, at: 0 }]
    while (work.length > 0) {
      const top = work.at(-1) as { name: string; at: number }
      if (top.at === 0) {
        index.set(top.name, index.size)
        low.set(top.name, index.get(top.name) as number)
        stack.push(top.name)
      }
      const target = (next.get(top.name) ?? [])[top.at]
      if (target !== undefined) {
        top.at++
        if (!index.has(target)) work.push({ name: target, at: 0 })
        else if (!component.has(target)) low.set(top.name, Math.min(low.get(top.name) as number, index.get(target) as number))
        continue
      }
      work.pop()
      const parent = work.at(-1)
      if (parent !== undefined) low.set(parent.name, Math.min(low.get(parent.name) as number, low.get(top.name) as number))
      if (low.get(top.name) === index.get(top.name)) {
        for (let name = stack.pop(); name !== undefined; name = name === top.name ? undefined : stack.pop()) component.set(name, found)
        found++
      }
    }
  }
  return component
}

const sortedByDependency = (names: readonly string[], sources: ReadonlyMap<string, readonly string[]>): readonly string[] => {
  const waiting = new Map(names.map((name) => [name, new Set(sources.get(name))]))
  const order: string[] = []
  let ready = names.filter((name) => waiting.get(name)?.size === 0)
  while (ready.length > 0) {
    for (const name of ready) {
      order.push(name)
      waiting.delete(name)
      for (const rest of waiting.values()) rest.delete(name)
    }
    ready = names.filter((name) => waiting.get(name)?.size === 0)
  }
  const [stuck] = waiting.keys()
  if (stuck !== undefined)
    throw unsupported(
      `"${stuck}" lies in a cycle without a spiking unit or a Delay.`,
      'A cycle needs LIF, IF, CubaLIF or Delay in it: what those give arrives one step later.',
    )
  return order
}

/**
 * The nodes of a graph in the order in which they compute.
 * @throws UNSUPPORTED for edges to nowhere and cycles without delay
 */
export const flattenGraph = (graph: NirGraph): readonly FlatNode[] => {
  const nodes = new Map<string, NirNode>()
  const all: Edge[] = []
  splice(graph, '', nodes, all)
  const edges = [...new Map(all.map((edge) => [JSON.stringify(edge), edge])).values()]
  const names = [...nodes.keys()]
  const next = new Map(names.map((name) => [name, edges.filter(([from]) => from === name).map(([, to]) => to)]))
  const component = components(names, next)
  const isDelayed = ([from, to]: Edge): boolean =>
    component.get(from) === component.get(to) && SPIKING.has(nodes.get(from)?.type ?? '') && (from === to || next.get(from)?.includes(to) === true)
  const into = (name: string, delayed: boolean): string[] => edges.filter((edge) => edge[1] === name && isDelayed(edge) === delayed).map(([from]) => from)
  const sources = new Map(names.map((name) => [name, into(name, false)]))
  return sortedByDependency(names, sources).map((name) => ({
    ...(nodes.get(name) as NirNode),
    name,
    sources: sources.get(name) as readonly string[],
    delayed: into(name, true),
  }))
}
